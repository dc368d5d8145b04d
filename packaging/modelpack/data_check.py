"""Holds a table against the constraints of a bundle, before it is trained on or scored."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.constraints import Constraint

#: Rows and values that are shown of what breaks a constraint.
SHOWN = 3


class Breach(NamedTuple):
    """Of ``column``, ``broken_by`` of ``rows`` values break ``constraint``, which is ``allowed``; ``examples`` are
    some of them, as (row, value), rows counted from 1 below the header. ``tolerated``: no more do than may."""

    column: str
    constraint: str
    allowed: str
    broken_by: int
    rows: int
    examples: tuple[tuple[int, str], ...]
    tolerated: bool = False

    @property
    def share(self) -> float:
        """Of the rows, those that break it."""
        return self.broken_by / self.rows


def check_table(frame: pd.DataFrame, constraints: Mapping[str, Constraint]) -> list[Breach]:
    """All constraints that any value of ``frame`` breaks, by column in the model's order."""
    breaches = []
    for name, constraint in constraints.items():
        if name not in frame.columns:
            breaches.append(Breach(name, "presence", "required", len(frame), len(frame), ()))
            continue
        values = frame[name].reset_index(drop=True)
        for kind, allowed, share, broken in _checks(values, constraint):
            count = int(broken.sum())
            if count:
                rows = np.flatnonzero(broken.to_numpy())[:SHOWN]
                examples = tuple((int(row) + 1, _show(values.iloc[row])) for row in rows)
                tolerated = count <= share * len(values)
                breaches.append(Breach(name, kind, allowed, count, len(values), examples, tolerated))
    return breaches


def _checks(
    values: "pd.Series[Any]", constraint: Constraint
) -> Iterator[tuple[str, str, float, "pd.Series[bool]"]]:
    """The constraint's name, what is allowed, the largest share that may break it, and the values that do."""
    missing = values.isna()
    if constraint.missing is not None:
        yield "missing", f"at most {constraint.missing:.2%}", constraint.missing, missing
    read = values if constraint.type == "text" else _as_numbers(values)
    fits = _fits(read, constraint)
    yield "type", constraint.type, 0.0, ~missing & ~fits
    usable = ~missing & fits
    if constraint.minimum is not None or constraint.maximum is not None:
        low = -np.inf if constraint.minimum is None else constraint.minimum
        high = np.inf if constraint.maximum is None else constraint.maximum
        share = constraint.outside or 0.0
        outside = usable & ((read < low) | (read > high))
        yield "range", f"{_bounds(low, high)}; at most {share:.2%} outside", share, outside
    if constraint.values is not None:
        share = constraint.unseen or 0.0
        allowed = f"{len(constraint.values)} values; at most {share:.2%} others"
        yield "values", allowed, share, usable & ~read.isin(list(constraint.values))
    if constraint.unique:
        # Lists, which cannot be hashed, are of another type already.
        alike = values.where(values.map(lambda value: isinstance(value, Hashable)))
        yield "unique", "no value twice", 0.0, alike.notna() & alike.duplicated(keep=False)


def _as_numbers(values: "pd.Series[Any]") -> "pd.Series[float]":
    """NaN for what is no number: one text in a CSV file makes texts of its whole column."""
    words = {"true": 1.0, "false": 0.0}
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.Series(np.nan, index=values.index)
    if values.dtype == object:
        scalars = values.map(lambda value: value if isinstance(value, (str, int, float, np.number)) else np.nan)
        values = scalars.map(
            lambda value: words.get(value.strip().lower(), value) if isinstance(value, str) else value
        )
    return pd.to_numeric(values, errors="coerce").astype(np.float64)


def _fits(read: "pd.Series[Any]", constraint: Constraint) -> "pd.Series[bool]":
    match constraint.type:
        case "text":
            return read.map(lambda value: isinstance(value, str)).astype(bool)
        case "integer":
            return read % 1 == 0
        case "boolean":
            return read.isin([0.0, 1.0])
        case _:
            return read.notna() & (read.abs() != np.inf)


def _bounds(low: float, high: float) -> str:
    if low == -np.inf:
        return f"at most {high:g}"
    return f"at least {low:g}" if high == np.inf else f"{low:g} to {high:g}"


def _show(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)[:60]
