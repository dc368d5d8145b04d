"""Checks the types of a request's fields, so that a wrong one is refused where the request is written."""

import math
import os
import reprlib
from collections.abc import Callable
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.errors import RequestError

#: Returns the value in the field's own type; raises TypeError for another type.
FieldCheck = Callable[[str, Any], Any]
_SHOWN = (str, bytes, int, float, complex, list, tuple, set, frozenset, dict)


def path(accepted: str) -> FieldCheck:
    """A path, or text that names one; ``accepted`` describes the file."""

    def check(name: str, value: Any) -> Path:
        text = os.fspath(value) if isinstance(value, str | os.PathLike) else value
        if not isinstance(text, str):
            raise _wrong(name, value, f"{accepted}, as a str or Path")
        if not text or "\0" in text:
            raise RequestError(f"{name} is {value!r}, which names no file or folder. Pass {accepted}.")
        return Path(text)

    return check


def optional(check: FieldCheck) -> FieldCheck:
    """As ``check``, or None."""
    return lambda name, value: None if value is None else check(name, value)


def text(name: str, value: Any) -> str:
    """A str."""
    if not isinstance(value, str):
        raise _wrong(name, value, "a str")
    return str(value)


def texts(name: str, value: Any) -> tuple[str, ...]:
    """A list or tuple of str; a str alone, whose letters would count as items, is refused."""
    if isinstance(value, str):
        raise _wrong(name, value, f"a list or tuple of str: {name}=[{value!r}]")
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _wrong(name, value, "a list or tuple of str")
    return tuple(str(item) for item in value)


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise _wrong(name, value, "True or False")
    return value


def number(name: str, value: Any) -> float:
    """An int or float, NumPy's included."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _wrong(name, value, "a number")
    try:
        return float(value)
    except OverflowError:  # an int beyond every float, which `PackageRequest.check` refuses as it does infinity
        return math.inf


def whole(name: str, value: Any) -> int:
    """An int, NumPy's included."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise _wrong(name, value, "an int")
    return int(value)


def tolerance(name: str, value: Any) -> Tolerance:
    """A `Tolerance` of numbers."""
    if not isinstance(value, Tolerance):
        raise _wrong(name, value, "a serinus.Tolerance, such as serinus.Tolerance(atol=1e-3)")
    return Tolerance(
        labels=number(f"{name}.labels", value.labels),
        atol=number(f"{name}.atol", value.atol),
        rtol=number(f"{name}.rtol", value.rtol),
        cosine=optional(number)(f"{name}.cosine", value.cosine),
    )


def _wrong(name: str, value: object, accepted: str) -> TypeError:
    kind = type(value).__name__
    shown = f"{reprlib.repr(value)}, of type {kind}" if isinstance(value, _SHOWN) else f"of type {kind}"
    return TypeError(f"{name} is {'None' if value is None else shown}; it must be {accepted}.")
