"""Metric math's values: numbers, time series and arrays of them, and operators on them."""

import math
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from serinus.offline.services.cloudwatch.math_syntax import MathError


@dataclass(frozen=True, slots=True)
class Grid:
    """The periods that a request covers: from ``start`` to ``end`` (epoch seconds) by ``period_s``."""

    start: int
    end: int
    period_s: int

    def timestamps(self) -> range:
        return range(self.start, self.end, self.period_s)


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Values by the epoch second of their period's start; absent periods have no data."""

    points: dict[int, float]
    period_s: int
    id: str = ""
    label: str = ""
    #: False for a metric that never had a value, and for what is computed of such metrics alone.
    exists: bool = True

    def with_points(self, points: dict[int, float]) -> "TimeSeries":
        return replace(self, points={at: points[at] for at in sorted(points) if math.isfinite(points[at])})

    def each(self, change: Callable[[float], float]) -> "TimeSeries":
        return self.with_points({at: change(value) for at, value in self.points.items()})


Value = float | TimeSeries | list[TimeSeries]

OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right if right else math.nan,
    "^": lambda left, right: _power(left, right),
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "AND": lambda left, right: float(bool(left) and bool(right)),
    "OR": lambda left, right: float(bool(left) or bool(right)),
}


def combine(sign: str, left: Value, right: Value) -> Value:
    """``left sign right``, point by point; missing values count as 0, divisions by zero are dropped."""
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            raise MathError(f"{sign} cannot combine arrays of {len(left)} and {len(right)} time series")
        return [_series(combine(sign, each_series, other)) for each_series, other in zip(left, right, strict=True)]
    if isinstance(left, list):
        return [_series(combine(sign, each_series, right)) for each_series in left]
    if isinstance(right, list):
        return [_series(combine(sign, left, other)) for other in right]
    function = OPERATORS[sign]
    if isinstance(left, TimeSeries) and isinstance(right, TimeSeries):
        at_all = left.points.keys() | right.points.keys()
        combined = {at: function(left.points.get(at, 0.0), right.points.get(at, 0.0)) for at in at_all}
        return replace(left, exists=left.exists or right.exists).with_points(combined)
    if isinstance(left, TimeSeries):
        scalar = right
        return left.each(lambda value: function(value, scalar))  # type: ignore[arg-type]
    if isinstance(right, TimeSeries):
        scalar = left
        return right.each(lambda value: function(scalar, value))
    return function(left, right)


def across(
    series: Iterable[TimeSeries], reduce: Callable[[list[float]], float], missing: float | None
) -> TimeSeries:
    """One time series from several: at each timestamp, ``reduce`` of their values."""
    every = list(series)
    if not every:
        raise MathError("an array of time series is empty")
    points = {}
    for at in {at for each_series in every for at in each_series.points}:
        values = [each_series.points.get(at, missing) for each_series in every]
        points[at] = reduce([value for value in values if value is not None])
    return replace(every[0], exists=any(each_series.exists for each_series in every)).with_points(points)


def _series(value: Value) -> TimeSeries:
    if not isinstance(value, TimeSeries):
        raise MathError("a time series is expected here")
    return value


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except (ValueError, OverflowError):
        return math.nan
