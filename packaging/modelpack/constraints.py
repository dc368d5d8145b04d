"""Infers constraints on a model's inputs from the reference, and reads those that people wrote.

``constraints/NAME.toml`` in the project's folder has a table for each column that a person knows better than a
sample does. The bundle holds both, so they belong to the model's version.
"""

import math
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from serinus.lambda_handlers.contract.constraints import ColumnType, Constraint
from serinus.lambda_handlers.contract.monitored import Column, Limit, Monitored
from serinus.lambda_handlers.contract.signature import Feature, Signature
from serinus.modelpack.errors import RequestError

FOLDER = "constraints"
#: Categories that are counted one by one.
TOP_CATEGORIES = 10
#: In fewer rows, values may differ by chance.
FEWEST_UNIQUE = 100
#: Whole numbers that all differ are not ids if random ones would with a larger probability.
BY_CHANCE = 1e-6
_TYPES: Mapping[str, ColumnType] = {"string": "text", "bool": "boolean", "int32": "integer", "int64": "integer"}
_NUMBERS = ("minimum", "maximum")


def constraints_file(project: Path, name: str) -> Path:
    """Where the constraints of model ``name`` are written by people."""
    return project / FOLDER / f"{name}.toml"


def read_edited(path: Path, signature: Signature) -> dict[str, dict[str, Any]]:
    """The constraints by column that a person wrote in ``path``; none without the file. Raises `RequestError` that
    names file, column, constraint, its value and what is allowed."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path} cannot be read: {error}. Write UTF-8 text, or remove the file.") from error
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{path} is not TOML: {error}.") from error
    features = {feature.name: feature for feature in signature.features if not feature.shape}
    for column, table in tables.items():
        if column not in features:
            raise RequestError(f"{path}: the model has no column {column!r}; it has {_listed(features)}.")
        if not isinstance(table, dict):
            raise RequestError(f"{path}: {column} is {table!r}; a table is required, such as [{column}].")
        for key, value in table.items():
            _check(path, features[column], key, value)
        low, high = table.get("minimum", -math.inf), table.get("maximum", math.inf)
        if low > high:
            raise RequestError(f"{path}: {column}.minimum is {low}, above its maximum, {high}.")
    return tables


def _check(path: Path, feature: Feature, key: str, value: Any) -> None:
    is_text = feature.dtype == "string"
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        "missing": (_is_share, "a share from 0 to 1"),
        "unique": (lambda given: isinstance(given, bool), "true or false"),
        "values": (lambda given: _are_values(given, is_text=is_text),
                   "a list of " + ("texts" if is_text else "numbers")),
        "unseen": (_is_share, "a share from 0 to 1"),
    }  # fmt: skip
    if not is_text:
        rules |= dict.fromkeys(_NUMBERS, (_is_number, "a finite number"))
        rules["outside"] = (_is_share, "a share from 0 to 1")
    if key not in rules:
        raise RequestError(f"{path}: {feature.name}.{key} is not a constraint; allowed: {_listed(rules)}.")
    holds, allowed = rules[key]
    if not holds(value):
        raise RequestError(f"{path}: {feature.name}.{key} is {value!r}; it must be {allowed}.")


def _is_number(value: Any) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _are_values(value: Any, *, is_text: bool) -> bool:
    fits = (lambda item: isinstance(item, str)) if is_text else _is_number
    return isinstance(value, list) and bool(value) and all(map(fits, value))


def infer(
    signature: Signature, monitored: Monitored, edited: Mapping[str, Mapping[str, Any]], unique: set[str]
) -> dict[str, Constraint]:
    """The constraints by column: those of ``edited``, and for the rest what the reference shows, with its bands as
    the shares that may break them. ``unique`` are columns whose values in the sample all differ."""
    watched = {column.name: column for column in monitored.columns if column.role == "input"}
    constraints = {}
    for feature in signature.features:
        if feature.shape:
            continue
        inferred = _inferred(feature, watched.get(feature.name))._replace(unique=feature.name in unique)
        written = dict(edited.get(feature.name, {}))
        if "values" in written:
            written = {"unseen": 0.0, **written, "values": tuple(written["values"])}
        if any(name in written for name in _NUMBERS):
            # The end that a person left out is open, and not what the sample happened to have.
            written = {"minimum": None, "maximum": None, "outside": 0.0, **written}
        edited_names = tuple(sorted(name for name, value in written.items() if value is not None))
        constraints[feature.name] = inferred._replace(**written, edited=edited_names)
    return constraints


def unique_columns(frame: pd.DataFrame) -> set[str]:
    """Columns of texts or whole numbers, such as ids, in which no value of many occurs twice, though random values
    of their range would."""
    return {str(name) for name in frame.columns if _is_unique(frame[name].dropna())}


def _is_unique(values: "pd.Series[Any]") -> bool:
    count = len(values)
    try:
        if count < FEWEST_UNIQUE or values.dtype.kind not in "Oiuf" or values.duplicated().any():
            return False
    except TypeError:  # lists
        return False
    if values.dtype.kind == "O":
        return all(isinstance(value, str) for value in values)
    # With missing values, pandas reads whole numbers as floats.
    if values.dtype.kind == "f" and not (values % 1 == 0).all():
        return False
    # Of so many random numbers from a range, none occurs twice with a probability of about exp(-pairs / range).
    pairs = count * (count - 1) / 2
    return pairs / (float(values.max()) - float(values.min()) + 1) > -math.log(BY_CHANCE)


def _inferred(feature: Feature, column: Column | None) -> Constraint:
    constraint = Constraint(_TYPES.get(feature.dtype, "number"))
    if column is None:
        return constraint
    high = [band[1] for band in column.bands]
    if column.kind == "category":
        top = len(column.categories)
        known = (*column.categories, *column.rest)
        return constraint._replace(values=known, unseen=high[top + 1], missing=high[top + 2])
    edges = len(column.edges)
    return constraint._replace(
        minimum=column.minimum,
        maximum=column.maximum,
        missing=high[edges],
        outside=min(1.0, high[edges + 1] + high[edges + 2]),
    )


def apply_edited(column: Column, edited: Mapping[str, Any]) -> Column:
    """``column`` with the range and the categories that a person wrote, so that the endpoint counts values that
    break them."""
    if "values" in edited:
        allowed = [value for value in edited["values"] if value not in column.categories]
        kept = tuple(value for value in column.categories if value in edited["values"])
        if column.kind == "number":
            kept, allowed = tuple(allowed[:TOP_CATEGORIES]), allowed[TOP_CATEGORIES:]
        return column._replace(
            kind="category", categories=kept, rest=tuple(allowed), edges=(), minimum=0.0, maximum=0.0
        )
    if column.kind == "number":
        low, high = (float(edited.get(name, getattr(column, name))) for name in _NUMBERS)
        return column._replace(minimum=low, maximum=high)
    return column


def limits_of(column: Column, edited: Mapping[str, Any]) -> tuple[Limit, ...]:
    """The shares of ``edited`` that live values of ``column`` may break, with the streams that count these."""
    start = len(column.edges if column.kind == "number" else column.categories)
    if column.kind == "number":
        ends = [start + 1] * ("minimum" in edited) + [start + 2] * ("maximum" in edited)
        streams = {"missing": (start,), "outside": tuple(ends) or (start + 1, start + 2)}
    else:
        streams = {"unseen": (start + 1,), "missing": (start + 2,)}
    shares = dict(edited)
    if any(name in edited for name in _NUMBERS):
        shares.setdefault("outside", 0.0)
    if "values" in edited:
        shares.setdefault("unseen", 0.0)
    return tuple(Limit(name, places, float(shares[name])) for name, places in streams.items() if name in shares)


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
