"""When two outputs are the same: one rule for packaging, for hooks before traffic, and for the judge.

Labels must be equal in a share of rows; numbers must satisfy |a - b| <= atol + rtol * |expected|, the rule
of `numpy.isclose`, in every row. NaN agrees with NaN. Outputs that are vectors must besides keep their direction
(cosine), by which embeddings are compared; where a tolerance names a cosine, by that alone.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.tolerance import Tolerance

Outputs = dict[str, npt.NDArray[Any]]

#: For every vector, since tolerances for numbers would let small vectors turn.
LEAST_COSINE = 0.999
#: Rows shorter than this share of the longest have no meaningful direction beside rounding.
_SHORT = 1e-3
#: How the names of outputs begin that are no vectors.
_NO_VECTORS = ("label", "probabilities", "value", "scores")


@dataclass(frozen=True, slots=True)
class Agreement:
    """The result of a comparison. ``worst_rows`` are row numbers, the worst first; ``cosine`` is the least over
    rows, None if no output is a vector."""

    agrees: bool
    rows: int
    labels_equal: float
    max_abs_difference: float
    max_rel_difference: float
    rows_out_of_tolerance: int
    worst_rows: tuple[int, ...]
    cosine: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def compare(expected: Outputs, actual: Outputs, tolerance: Tolerance, *, worst: int = 5) -> Agreement:
    """Compare outputs by name; arrays are [rows] or [rows, ...]. Raises ValueError if names, rows or shapes
    differ. Float outputs are compared by tolerance, all others as labels."""
    if set(expected) != set(actual):
        raise ValueError(f"outputs differ: expected {sorted(expected)}, got {sorted(actual)}")
    rows = len(next(iter(expected.values()))) if expected else 0
    label_equal = np.ones(rows, dtype=bool)
    excess = np.zeros(rows)
    absolute = relative = 0.0
    cosines: list[float] = []
    for name, want in expected.items():
        got = actual[name]
        if want.shape != got.shape:
            raise ValueError(f"output {name!r} has shape {got.shape}; expected {want.shape}")
        if want.dtype.kind == "f":
            difference, allowed = _differences(want, got, tolerance)
            absolute = max(absolute, float(difference.max(initial=0.0)))
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = np.where(difference > 0, difference / np.abs(want.astype(np.float64)), 0.0)
            relative = max(relative, float(np.nan_to_num(ratio, nan=0.0, posinf=0.0).max(initial=0.0)))
            beyond = (difference / allowed).reshape(rows, -1).max(axis=1, initial=0.0)
            if not name.startswith(_NO_VECTORS) and want.ndim > 1 and want[:1].size > 1:
                turned = _cosines(want, got, free=tolerance.cosine is not None)
                cosines.append(float(turned.min(initial=1.0)))
                beyond = _by_direction(turned, beyond, tolerance.cosine)
            excess = np.maximum(excess, beyond)
        else:
            label_equal &= (want == got).reshape(rows, -1).all(axis=1)
    out = (excess > 1.0) | ~label_equal
    share = float(label_equal.mean()) if rows else 1.0
    order = np.argsort(-(excess + np.where(label_equal, 0.0, np.inf)), kind="stable")
    return Agreement(
        agrees=share >= tolerance.labels and not bool((excess > 1.0).any()),
        rows=rows,
        labels_equal=share,
        max_abs_difference=absolute,
        max_rel_difference=relative,
        rows_out_of_tolerance=int(out.sum()),
        worst_rows=tuple(int(row) for row in order[:worst] if out[row]),
        cosine=min(cosines, default=None),
    )


def _by_direction(
    turned: npt.NDArray[np.float64], beyond: npt.NDArray[np.float64], cosine: float | None
) -> npt.NDArray[np.float64]:
    """[rows]: how far out of tolerance a vector is, above 1 where it is out; ``beyond`` is that of its numbers."""
    least = LEAST_COSINE if cosine is None else cosine
    apart = np.maximum(1.0 - turned, 0.0) / max(1.0 - least, 1e-7)
    return apart if cosine is not None else np.maximum(beyond, apart)


def _cosines(want: npt.NDArray[Any], got: npt.NDArray[Any], *, free: bool) -> npt.NDArray[np.float64]:
    """[rows]: how alike direction stays; 0 for what is not finite, or vanishes, on one side alone. Short rows
    count as the same unless ``free``, where nothing else bounds them."""
    a, b = (values.reshape(len(want), -1).astype(np.float64) for values in (want, got))
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
        cosines = np.einsum("ij,ij->i", a, b) / (lengths[0] * lengths[1])
    same = ((a == b) | (np.isnan(a) & np.isnan(b))).all(axis=1)
    finite = lengths[0][np.isfinite(lengths[0])]
    short = (lengths[0] <= _SHORT * finite.max(initial=0.0)) & (not free)
    return np.where(same | short, 1.0, np.nan_to_num(cosines, nan=0.0))


def _differences(
    want: npt.NDArray[Any], got: npt.NDArray[Any], tolerance: Tolerance
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """|want - got| (0 where both are NaN or the same infinity, infinite where one is) and what is allowed."""
    a, b = want.astype(np.float64), got.astype(np.float64)
    with np.errstate(invalid="ignore"):
        difference = np.abs(a - b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    difference = np.where(same, 0.0, np.where(np.isfinite(difference), difference, np.inf))
    allowed = tolerance.atol + tolerance.rtol * np.abs(np.nan_to_num(a, nan=0.0, posinf=0.0, neginf=0.0))
    return difference, np.maximum(allowed, np.finfo(np.float64).tiny)
