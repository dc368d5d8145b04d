"""The golden set: few rows, selected to differ from each other, with the source model's outputs.

Hooks send them to a new version before it gets any traffic, exactly as requests hold them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.bundle import Golden
from serinus.lambda_handlers.contract.signature import Feature
from serinus.modelpack.features import request_value
from serinus.modelpack.parity import Expected

ROWS = 32
#: Of the golden set, about: it is shipped in the layer, and read when the function starts.
MOST_BYTES = 4 << 20
#: Of a number as JSON, about.
_NUMBER_BYTES = 20


def choose_golden(
    expected: Expected, features: tuple[Feature, ...], outside: set[int] | None = None, *, rows: int = ROWS
) -> Golden:
    """About ``rows`` rows: each feature's extremes, rows of every label, missing and unseen values where they are
    accepted, and the rest evenly from the sample; no row ``outside`` the tolerance. Fewer where rows are large:
    the set is at most some `MOST_BYTES`, and at least one row."""
    rows = max(1, min(rows, MOST_BYTES // _row_bytes(expected)))
    unusable = (outside or set()) | _not_finite(expected)
    selected = [row for row in _select_rows(expected, features, rows) if row not in unusable]
    frame = expected.frame.iloc[selected]
    dtypes = {feature.name: feature.dtype for feature in features}
    records = tuple(
        {name: request_value(value, dtypes[name]) for name, value in zip(frame.columns, values, strict=True)}
        for values in frame.itertuples(index=False, name=None)
    )
    outputs = {name: _plain(values[selected]) for name, values in expected.outputs.items()}
    return Golden(rows=records, outputs=outputs)


def _not_finite(expected: Expected) -> set[int]:
    """Rows for which the source returns NaN or infinity, which JSON does not have."""
    rows: set[int] = set()
    for values in expected.outputs.values():
        if values.dtype.kind == "f":
            finite = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
            rows.update(np.flatnonzero(~finite).tolist())
    return rows


def with_examples(features: tuple[Feature, ...], golden: Golden) -> tuple[Feature, ...]:
    """The features with examples of the golden set, where it has one that is not missing, for those that have
    one."""
    found = {
        feature.name: next((row[feature.name] for row in golden.rows if row[feature.name] is not None), None)
        for feature in features
    }
    return tuple(
        feature
        if found[feature.name] is None or feature.example is None
        else feature._replace(example=found[feature.name])
        for feature in features
    )


def _row_bytes(expected: Expected) -> int:
    """About how many bytes a row takes with its outputs."""
    cells = [expected.frame[name].iloc[0] for name in expected.frame.columns]
    inputs = sum(np.size(np.array(cell)) if isinstance(cell, list) else 1 + len(str(cell)) // 8 for cell in cells)
    outputs = sum(values[:1].size for values in expected.outputs.values())
    return _NUMBER_BYTES * (inputs + outputs)


def _select_rows(expected: Expected, features: tuple[Feature, ...], rows: int) -> list[int]:
    """Row numbers, ascending. Variants and extremes get at most half of the rows each."""
    sample = expected.frame.iloc[: expected.sample_rows]
    selected: dict[int, None] = {}
    variants = range(expected.sample_rows, len(expected.frame))
    step = max(1, len(variants) // max(1, rows // 4))
    for row in list(variants)[::step][: rows // 4]:
        selected[row] = None
    for row in _first_row_of_each_label(expected)[: rows // 4]:
        selected[row] = None
    for feature in features:
        if len(selected) >= rows * 3 // 4:
            break
        if feature.dtype not in ("string", "bool") and not feature.shape:
            values = sample[feature.name].to_numpy(dtype=np.float64)
            selected[int(np.nanargmin(values))] = None
            selected[int(np.nanargmax(values))] = None
    for row in np.linspace(0, expected.sample_rows - 1, num=rows * 2).astype(int):
        if len(selected) >= rows:
            break
        selected[int(row)] = None
    return sorted(selected)


def _first_row_of_each_label(expected: Expected) -> list[int]:
    if "label" not in expected.outputs or expected.outputs["label"].ndim > 1:
        return []
    seen: dict[Any, int] = {}
    for row, label in enumerate(expected.outputs["label"][: expected.sample_rows].tolist()):
        seen.setdefault(label, row)
    return list(seen.values())


def _plain(values: npt.NDArray[Any]) -> list[Any]:
    return list(values.tolist())
