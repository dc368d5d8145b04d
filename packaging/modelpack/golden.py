"""The golden set: few rows, chosen to be unlike each other, with the outputs that the source model gave.

Hooks send them to a new version before any traffic does, exactly as a request holds them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.bundle import Golden
from serinus.lambda_handlers.contract.signature import Feature
from serinus.modelpack.features import to_json_value
from serinus.modelpack.parity import Expected

ROWS = 32


def choose_golden(
    expected: Expected, features: tuple[Feature, ...], outside: set[int] | None = None, *, rows: int = ROWS
) -> Golden:
    """About ``rows`` rows: each feature's extremes, rows of every label, missing and unseen values where they are
    accepted, and the rest evenly from the sample; none of the rows ``outside`` the tolerance."""
    chosen = [row for row in _choose(expected, features, rows) if row not in (outside or ())]
    frame = expected.frame.iloc[chosen]
    dtypes = {feature.name: feature.dtype for feature in features}
    records = tuple(
        {name: _as_requested(value, dtypes[name]) for name, value in zip(frame.columns, values, strict=True)}
        for values in frame.itertuples(index=False, name=None)
    )
    outputs = {name: _plain(values[chosen]) for name, values in expected.outputs.items()}
    return Golden(rows=records, outputs=outputs)


def _choose(expected: Expected, features: tuple[Feature, ...], rows: int) -> list[int]:
    """Row numbers, ascending. Half of the places at most go to variants and extremes each."""
    sample = expected.frame.iloc[: expected.sample_rows]
    chosen: dict[int, None] = {}
    variants = range(expected.sample_rows, len(expected.frame))
    step = max(1, len(variants) // (rows // 4))
    for row in list(variants)[::step][: rows // 4]:
        chosen[row] = None
    for row in _one_of_each_label(expected)[: rows // 4]:
        chosen[row] = None
    for feature in features:
        if len(chosen) >= rows * 3 // 4:
            break
        if feature.dtype not in ("string", "bool") and not feature.shape:
            values = sample[feature.name].to_numpy(dtype=np.float64)
            chosen[int(np.nanargmin(values))] = None
            chosen[int(np.nanargmax(values))] = None
    for row in np.linspace(0, expected.sample_rows - 1, num=rows * 2).astype(int):
        if len(chosen) >= rows:
            break
        chosen[int(row)] = None
    return sorted(chosen)


def _one_of_each_label(expected: Expected) -> list[int]:
    if "label" not in expected.outputs or expected.outputs["label"].ndim > 1:
        return []
    seen: dict[Any, int] = {}
    for row, label in enumerate(expected.outputs["label"][: expected.sample_rows].tolist()):
        seen.setdefault(label, row)
    return list(seen.values())


def _as_requested(value: Any, dtype: str) -> Any:
    """A float column may hold a whole number of an integer feature, where another row of it misses one."""
    plain = to_json_value(value)
    if plain is None or isinstance(plain, list):
        return plain
    if dtype == "int64":
        return int(plain)
    return bool(plain) if dtype == "bool" else plain


def _plain(values: npt.NDArray[Any]) -> list[Any]:
    return list(values.tolist())
