"""Drift of simulated traffic, as `--drift` writes it.

age:+0.5sd@day3            numbers move by half a standard deviation of the reference, from day 3 on
plan:basic-10pt@day3       a category loses 10 points of its share to the others
income:missing=5%@day3     5 % of the values are missing
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from serinus.cli.errors import WrongUsage
from serinus.lambda_handlers.contract.monitored import Column
from serinus.lambda_handlers.contract.signature import Feature, Signature

_DRIFT = re.compile(r"(?P<column>.+):(?P<change>[^:@]+?)(?:@day(?P<day>\d{1,4}))?")
_SHIFT = re.compile(r"(?P<sign>[+-])(?P<size>\d+(?:\.\d+)?)sd")
_POINTS = re.compile(r"(?P<value>.+?)(?P<sign>[+-])(?P<size>\d+(?:\.\d+)?)pt")
_MISSING = re.compile(r"missing=(?P<size>\d+(?:\.\d+)?)%")
_EXAMPLES = '"age:+0.5sd@day3", "plan:basic-10pt@day3" or "income:missing=5%@day3"'

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drift:
    """From ``day`` (0 is the first) ``column`` changes: "shift" by ``size`` standard deviations, "points" by
    ``size`` of the share of category ``value``, or "missing", a share ``size``."""

    column: str
    kind: Literal["shift", "points", "missing"]
    size: float
    day: int
    value: str = ""

    def __str__(self) -> str:
        change = {
            "shift": f"{self.size:+g}sd",
            "points": f"{self.value}{self.size * 100:+g}pt",
            "missing": f"missing={self.size:.4g}",
        }[self.kind]
        return f"{self.column}:{change}@day{self.day}"


def parse_drift(text: str, signature: Signature, days: int) -> Drift:
    """The drift of ``text``. Raises `WrongUsage` that names what is wrong: the column, the change, or the day."""
    matched = _DRIFT.fullmatch(text)
    if matched is None:
        raise WrongUsage(f"--drift {text} is not COLUMN:CHANGE@dayN, such as {_EXAMPLES}.")
    column, change, day = matched["column"], matched["change"], int(matched["day"] or 0)
    feature = next((feature for feature in signature.features if feature.name == column), None)
    if feature is None or feature.shape:
        if column in ("label", "concept"):
            raise WrongUsage(
                f"--drift {text}: the monitor compares inputs and predictions; it does not know labels. "
                f"Name a feature, such as {_EXAMPLES}."
            )
        scalars = ", ".join(feature.name for feature in signature.features if not feature.shape)
        raise WrongUsage(f"--drift {text}: the model has no column {column!r} of single values; it has {scalars}.")
    if day >= days:
        raise WrongUsage(f"--drift {text} begins on day {day}; days are counted from 0, and --days is {days}.")
    if found := _SHIFT.fullmatch(change):
        _require(feature.dtype not in ("string", "bool"), f"--drift {text}: {column} holds no numbers to shift.")
        return Drift(column, "shift", float(found["sign"] + found["size"]), day)
    if found := _MISSING.fullmatch(change):
        _require(feature.missing == "accepted", f"--drift {text}: the model rejects rows without {column}.")
        return Drift(column, "missing", _share(text, found["size"]), day)
    if found := _POINTS.fullmatch(change):
        _require(
            feature.dtype == "string" or feature.categories is not None,
            f"--drift {text}: {column} has no categories.",
        )
        sign = 1.0 if found["sign"] == "+" else -1.0
        return Drift(column, "points", sign * _share(text, found["size"]), day, found["value"])
    raise WrongUsage(f"--drift {text}: {change!r} is no change of a column. Write {_EXAMPLES}.")


def check_values(drifts: Sequence[Drift], columns: Sequence[Column]) -> None:
    """Raise `WrongUsage` where a drift names a category that the reference has not."""
    for drift in drifts:
        column = next((column for column in columns if column.name == drift.column), None)
        if drift.kind != "points" or column is None:
            continue
        known = [str(value) for value in (*column.categories, *column.rest)]
        if drift.value not in known:
            shown = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
            raise WrongUsage(f"--drift {drift}: {drift.column} has no category {drift.value!r}; it has {shown}.")


def parse_season(text: str) -> float:
    """The amplitude in standard deviations of ``text`` such as "0.3sd"; raises `WrongUsage`."""
    matched = re.fullmatch(r"(\d+(?:\.\d+)?)sd", text)
    if matched is None or float(matched[1]) > 1:
        raise WrongUsage(f"--season {text} is not valid: write standard deviations from 0 to 1, such as 0.3sd.")
    return float(matched[1])


def _share(text: str, percent: str) -> float:
    share = float(percent) / 100
    _require(0 < share <= 1, f"--drift {text}: {percent} is not between 0 and 100.")
    return share


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise WrongUsage(message)


class Changes:
    """Changes rows as time goes by. ``spread`` are standard deviations of the reference, by column."""

    def __init__(self, drifts: list[Drift], signature: Signature, spread: dict[str, float], seed: int) -> None:
        self._random = np.random.default_rng([seed, 1])
        self._drifts = drifts
        self._features = {feature.name: feature for feature in signature.features}
        self._spread = spread

    def apply(self, rows: list[Row], hour: float) -> None:
        """Change ``rows`` in place, as ``hour`` of the simulation has them."""
        for drift in self._drifts:
            if hour < 24 * drift.day:
                continue
            if drift.kind == "shift":
                self._shift(rows, drift.column, drift.size)
            elif drift.kind == "missing":
                for row in self._some(rows, drift.size):
                    row[drift.column] = None
            else:
                self._move_points(rows, drift)

    def _shift(self, rows: list[Row], name: str, deviations: float) -> None:
        """Whole numbers are rounded up or down by chance, so that small shifts are not lost; all stay within what
        the model accepts."""
        feature, by = self._features[name], deviations * self._spread[name]
        whole = feature.dtype in ("int32", "int64")
        for row in rows:
            if row[name] is None:
                continue
            value = float(row[name]) + by
            if whole:
                value = math.floor(value + self._random.random())
            row[name] = _within(feature, int(value) if whole else value)

    def _move_points(self, rows: list[Row], drift: Drift) -> None:
        """A share of all rows leaves the category for the others of the batch, or joins it from them."""
        holds = [row for row in rows if str(row[drift.column]) == drift.value]
        others = [row for row in rows if str(row[drift.column]) != drift.value and row[drift.column] is not None]
        leaving, joined = (holds, others) if drift.size < 0 else (others, holds)
        if not leaving or not joined:
            return
        chance = min(1.0, abs(drift.size) * len(rows) / len(leaving))
        values = [row[drift.column] for row in joined]
        for row in self._some(leaving, chance):
            row[drift.column] = values[int(self._random.integers(len(values)))]

    def _some(self, rows: list[Row], share: float) -> list[Row]:
        return [row for row, drawn in zip(rows, self._random.random(len(rows)), strict=True) if drawn < share]


def _within(feature: Feature, value: float) -> float:
    low = -math.inf if feature.lowest is None else feature.lowest
    high = math.inf if feature.highest is None else feature.highest
    return min(max(value, low), high)
