"""The range of a whole number that the model accepts: ids beyond a table make it fail, by the caller's fault.

Found by trying: the lengths of the model's tables are tried first, then halves of what is left.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from serinus.modelpack.errors import ModelpackError
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Source

Range = tuple[int | None, int | None]


def find_id_range(source: Source, sample: Sample, name: str) -> Range:
    """The least and the largest value of feature ``name`` that the source predicts with, None where its type alone
    limits them: in all of a tensor's places at once. (None, None) for sources that look nothing up."""
    sizes: Sequence[int] = getattr(source, "lookup_sizes", ())
    limits: dict[str, tuple[int, int]] = getattr(source, "limits", {})
    dtype = sample.dtypes[name]
    # The gate tries single numbers; tensors of them may hold ids, too.
    if dtype not in ("int32", "int64") and not (dtype.startswith("float") and name in sample.shapes):
        return None, None
    low, high = limits.get(name, (None, None))
    if not sizes:
        return low, high
    row = sample.frame.head(1)
    info = np.iinfo(dtype if dtype.startswith("int") else "int32")
    least, most = _extremes(sample, name)

    def accepts(value: int) -> bool:
        return _predicts(source, row.assign(**{name: [_filled(row[name].iloc[0], value)]}))

    start = info.min if low is None else low
    end = info.max if high is None else high
    if not accepts(end):
        high = max(most, _boundary(accepts, most, end, [size - 1 for size in sizes], 1))
    if not accepts(start):
        low = min(least, _boundary(accepts, least, start, [0, *(-size for size in sizes)], -1))
    return low, high


def _boundary(accepts: Callable[[int], bool], inside: int, outside: int, guesses: list[int], sign: int) -> int:
    """The last accepted value on the way from ``inside``, which is, to ``outside``, which is not."""
    if not accepts(inside):  # the table's places differ: the sample's own values are all that is known
        return inside
    for guess in guesses:
        if sign * guess >= sign * inside and accepts(guess) and not accepts(guess + sign):
            return guess
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if accepts(middle) else (inside, middle)
    return inside


def _extremes(sample: Sample, name: str) -> tuple[int, int]:
    cells = sample.frame[name]
    values = np.array(cells.tolist())
    return int(np.floor(values.min())), int(np.ceil(values.max()))


def _filled(cell: Any, value: int) -> Any:
    """``cell`` with ``value`` in every place."""
    return [_filled(item, value) for item in cell] if isinstance(cell, list) else value


def _predicts(source: Source, rows: pd.DataFrame) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            source.predict(rows)
        except ModelpackError:
            raise
        except Exception:  # noqa: BLE001 - any failure means that the value is refused
            return False
    return True
