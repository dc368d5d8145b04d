"""The endpoint's predictions beside those of the source model, which its own library made when it was packaged."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.signature import Output
from serinus.lambda_handlers.hooks.probe import Expectation, golden_outputs, read_response

#: Numbers of a vector that are printed.
_FIRST = 3


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One row's prediction by both in words; ``difference`` is the largest of its numbers', and ``equal`` whether
    all that are not numbers are the same."""

    served: str
    source: str
    difference: float
    equal: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare_rows(expected: Expectation, response: Mapping[str, Any]) -> list[ComparedRow]:
    """The endpoint's ``response`` to the golden rows of ``expected``, row by row."""
    outputs = expected.manifest.signature.outputs
    served, source = read_response(response, outputs), golden_outputs(expected)
    return [_compare(outputs, served, source, row) for row in range(len(expected.golden.rows))]


def _compare(outputs: tuple[Output, ...], served: Outputs, source: Outputs, row: int) -> ComparedRow:
    difference, equal = 0.0, True
    for output in outputs:
        ours, theirs = served[output.name][row], source[output.name][row]
        if source[output.name].dtype.kind == "f":
            # Unlike max(), it keeps NaN.
            difference = float(np.maximum(difference, _difference(np.asarray(ours), np.asarray(theirs))))
        else:
            equal = equal and bool(np.all(ours == theirs))
    return ComparedRow(_in_words(outputs, served, row), _in_words(outputs, source, row), difference, equal)


def _difference(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> float:
    """The largest absolute difference; NaN is the same as NaN."""
    return float(np.where((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)), 0.0, abs(ours - theirs)).max())


def _in_words(outputs: tuple[Output, ...], values: Outputs, row: int) -> str:
    """ "malignant 0.991448": labels, the probability of the likeliest class, and other numbers as they are."""
    words = []
    for output in outputs:
        value = np.asarray(values[output.name][row])
        if output.role == "probabilities":
            words.append(f"{value.max():.6f}")
        elif value.ndim == 0:
            words.append(f"{value:.6g}" if value.dtype.kind == "f" else str(value))
        else:
            more = " …" if value.size > _FIRST else ""
            words.append(" ".join(f"{number:.6g}" for number in value.reshape(-1)[:_FIRST]) + more)
    return " ".join(words)
