"""The functions of metric math, on evaluated arguments.

Each accepts the arguments and the `Grid` of the request. Functions that need the request itself (METRICS) or read
an argument as a word (FILL, SORT) are in `metric_math`.
"""

import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from serinus.offline.services.cloudwatch.math_syntax import MathError
from serinus.offline.services.cloudwatch.time_series import Grid, TimeSeries, Value, across

Arguments = Sequence[Value]

#: AWS's functions that are not modelled.
NOT_MODELLED = frozenset(
    {"SEARCH", "ANOMALY_DETECTION_BAND", "INSIGHT_RULE_METRIC", "SERVICE_QUOTA", "DB_PERF_INSIGHTS", "LAMBDA"}
)


def series(value: Value) -> TimeSeries:
    if not isinstance(value, TimeSeries):
        raise MathError("a time series is expected here")
    return value


def array(value: Value) -> list[TimeSeries]:
    if isinstance(value, list):
        return value
    return [series(value)]


def scalar(value: Value) -> float:
    if not isinstance(value, float):
        raise MathError("a number is expected here")
    return value


def _aggregate(
    reduce: Callable[[list[float]], float], missing: float | None = None
) -> Callable[[Arguments, Grid], Value]:
    """SUM and the like: one time series yields a number, several yield a time series."""

    def apply(arguments: Arguments, _grid: Grid) -> Value:
        (value,) = arguments
        if isinstance(value, list):
            return across(value, reduce, missing)
        values = list(series(value).points.values())
        return float(reduce(values)) if values else math.nan

    return apply


def _pointwise(change: Callable[[float], float]) -> Callable[[Arguments, Grid], Value]:
    def apply(arguments: Arguments, _grid: Grid) -> Value:
        (value,) = arguments
        if isinstance(value, list):
            return [each_series.each(change) for each_series in value]
        return change(value) if isinstance(value, float) else series(value).each(change)

    return apply


def _sequential(step: Callable[[TimeSeries], dict[int, float]]) -> Callable[[Arguments, Grid], Value]:
    def apply(arguments: Arguments, _grid: Grid) -> Value:
        (value,) = arguments
        changed = [each_series.with_points(step(each_series)) for each_series in array(value)]
        return changed if isinstance(value, list) else changed[0]

    return apply


def _difference(each_series: TimeSeries) -> dict[int, float]:
    ordered = sorted(each_series.points.items())
    return {at: value - before for (_, before), (at, value) in itertools.pairwise(ordered)}


def _rate(each_series: TimeSeries) -> dict[int, float]:
    ordered = sorted(each_series.points.items())
    return {
        at: (value - before) / (at - earlier) for (earlier, before), (at, value) in itertools.pairwise(ordered)
    }


def _time_difference(each_series: TimeSeries) -> dict[int, float]:
    ordered = sorted(each_series.points)
    return {at: float(at - earlier) for earlier, at in itertools.pairwise(ordered)}


def _running_sum(each_series: TimeSeries) -> dict[int, float]:
    total, points = 0.0, {}
    for at, value in sorted(each_series.points.items()):
        total += value
        points[at] = total
    return points


def _calendar(part: Callable[[datetime], float]) -> Callable[[Arguments, Grid], Value]:
    def apply(arguments: Arguments, grid: Grid) -> Value:
        points = {at: float(part(datetime.fromtimestamp(at, UTC))) for at in grid.timestamps()}
        return series(arguments[0]).with_points(points)

    return apply


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    return lambda value: function(value) if value > 0 else math.nan


def _if(arguments: Arguments, _grid: Grid) -> Value:
    """IF(condition, then, otherwise): by point if the condition is a time series."""
    if not 2 <= len(arguments) <= 3:
        raise MathError(f"IF requires 2 or 3 arguments, not {len(arguments)}")
    condition, then = arguments[0], arguments[1]
    otherwise = arguments[2] if len(arguments) == 3 else None
    if isinstance(condition, float):
        branch = then if condition else otherwise
        return series(then).with_points({}) if branch is None else branch
    points = {}
    for at, truth in series(condition).points.items():
        value = _at(then, at, 0.0) if truth else _at(otherwise, at, None)
        if value is not None:
            points[at] = value
    return series(condition).with_points(points)


def _at(value: Value | None, at: int, missing: float | None) -> float | None:
    if value is None or isinstance(value, float):
        return value
    return series(value).points.get(at, missing)


def _slice(arguments: Arguments, _grid: Grid) -> Value:
    bounds = [int(scalar(bound)) for bound in arguments[1:]]
    return array(arguments[0])[bounds[0] :] if len(bounds) == 1 else array(arguments[0])[bounds[0] : bounds[1]]


def _time_series(arguments: Arguments, grid: Grid) -> Value:
    (value,) = arguments
    return TimeSeries(dict.fromkeys(grid.timestamps(), scalar(value)), grid.period_s)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


FUNCTIONS: dict[str, Callable[[Arguments, Grid], Value]] = {
    "ABS": _pointwise(abs),
    "AVG": _aggregate(_mean, missing=0.0),
    "CEIL": _pointwise(lambda value: float(math.ceil(value))),
    "DATAPOINT_COUNT": _aggregate(lambda values: float(len(values))),
    "DATE": _calendar(lambda moment: moment.day),
    "DAY": _calendar(lambda moment: moment.isoweekday()),
    "DIFF": _sequential(_difference),
    "DIFF_TIME": _sequential(_time_difference),
    "EPOCH": _calendar(lambda moment: moment.timestamp()),
    "FIRST": lambda arguments, _grid: array(arguments[0])[0],
    "FLOOR": _pointwise(lambda value: float(math.floor(value))),
    "HOUR": _calendar(lambda moment: moment.hour),
    "IF": _if,
    "LAST": lambda arguments, _grid: array(arguments[0])[-1],
    "LOG": _pointwise(_logarithm(math.log)),
    "LOG10": _pointwise(_logarithm(math.log10)),
    "MAX": _aggregate(max),
    "METRIC_COUNT": lambda arguments, _grid: float(len(array(arguments[0]))),
    "MIN": _aggregate(min),
    "MINUTE": _calendar(lambda moment: moment.minute),
    "MONTH": _calendar(lambda moment: moment.month),
    "PERIOD": lambda arguments, _grid: float(series(arguments[0]).period_s),
    "RATE": _sequential(_rate),
    "REMOVE_EMPTY": lambda arguments, _grid: [
        each_series for each_series in array(arguments[0]) if each_series.points
    ],
    "RUNNING_SUM": _sequential(_running_sum),
    "SLICE": _slice,
    "STDDEV": _aggregate(statistics.pstdev),
    "SUM": _aggregate(sum, missing=0.0),
    "TIME_SERIES": _time_series,
    "YEAR": _calendar(lambda moment: moment.year),
}


def fill(value: Value, filler: Value | str, grid: Grid) -> Value:
    """FILL: a value for every missing period of the request. ``filler`` is that value, REPEAT or LINEAR.

    A time series that does not exist stays empty.
    """
    filled = [
        each_series.with_points(_filled(each_series, filler, grid)) if each_series.exists else each_series
        for each_series in array(value)
    ]
    return filled if isinstance(value, list) else filled[0]


def _filled(each_series: TimeSeries, filler: Value | str, grid: Grid) -> dict[int, float]:
    points = dict(each_series.points)
    known = sorted(points.items())
    for at in grid.timestamps():
        if at in points:
            continue
        if isinstance(filler, str):
            guessed = _repeated(known, at) if filler == "REPEAT" else _interpolated(known, at)
        else:
            guessed = _at(filler, at, None)
        if guessed is not None:
            points[at] = guessed
    return points


def _repeated(known: list[tuple[int, float]], at: int) -> float | None:
    before = [value for moment, value in known if moment < at]
    return before[-1] if before else None


def _interpolated(known: list[tuple[int, float]], at: int) -> float | None:
    before = [point for point in known if point[0] < at]
    after = [point for point in known if point[0] > at]
    if not before or not after:
        return None
    (earlier, low), (later, high) = before[-1], after[0]
    return low + (high - low) * (at - earlier) / (later - earlier)


def sort(value: Value, by: str, order: str, limit: float | None) -> Value:
    """SORT: the first ``limit`` time series by an aggregate, ASC or DESC."""
    if by not in ("AVG", "MIN", "MAX", "SUM") or order not in ("ASC", "DESC"):
        raise MathError(f"SORT by {by} {order}; it requires AVG, MIN, MAX or SUM, and ASC or DESC")
    grid = Grid(0, 0, 1)
    ordered = sorted(
        array(value), key=lambda each_series: scalar(FUNCTIONS[by]([each_series], grid)), reverse=order == "DESC"
    )
    return ordered if limit is None else ordered[: int(limit)]
