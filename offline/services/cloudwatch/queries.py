"""Metric data queries of GetMetricData and alarms, resolved to time series.

A query either fetches a statistic of a metric or computes an expression over other queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.readings import Readings
from serinus.offline.services.cloudwatch import metric_math
from serinus.offline.services.cloudwatch.math_syntax import MathError, names
from serinus.offline.services.cloudwatch.statistics import SIMPLE, check_statistic, value_of
from serinus.offline.services.cloudwatch.store import MetricKey, MetricStore, dimensions_of
from serinus.offline.services.cloudwatch.time_series import Grid, TimeSeries, Value

HIGH_RESOLUTION_PERIODS = (1, 5, 10, 20, 30)


@dataclass(frozen=True, slots=True)
class Query:
    """One query. Exactly one of ``metric`` (with ``statistic``) and ``expression`` is set."""

    id: str
    period_s: int | None
    metric: MetricKey | None = None
    statistic: str = ""
    unit: str | None = None
    expression: str = ""
    label: str | None = None
    returns: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` to ``end`` in epoch seconds, as visible at ``now``."""

    start: int
    end: int
    now: float


def check_period(period_s: int) -> None:
    """Raise for a period that CloudWatch rejects."""
    if period_s in HIGH_RESOLUTION_PERIODS or (period_s > 0 and period_s % 60 == 0):
        return
    raise AwsError(
        "InvalidParameterValue",
        f"The value {period_s} for parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.",
        status=400,
    )


def queries_of(members: Sequence[dict[str, Any]]) -> list[Query]:
    """The checked queries of a request (``MetricDataQueries``, or ``Metrics`` of an alarm)."""
    queries = [_query(member) for member in members]
    ids = [query.id for query in queries]
    for query_id in ids:
        if ids.count(query_id) > 1:
            raise AwsError("ValidationError", f"The id {query_id} is used by more than one query.", status=400)
    for query in queries:
        _check_references(query, set(ids))
    return queries


def _query(member: dict[str, Any]) -> Query:
    query_id = member["Id"]
    if not (query_id[:1].islower() and query_id.isascii() and query_id.replace("_", "a").isalnum()):
        raise AwsError(
            "ValidationError",
            f"The id {query_id!r} must begin with a lowercase letter and have only letters, digits and _.",
            status=400,
        )
    if "AccountId" in member:
        raise NotModelled("metrics of another account (AccountId of a metric data query)")
    stat, expression = member.get("MetricStat"), member.get("Expression")
    if (stat is None) == (expression is None):
        raise AwsError(
            "ValidationError", f"The query {query_id} must have either MetricStat or Expression.", status=400
        )
    shared = {"label": member.get("Label"), "returns": member.get("ReturnData", True)}
    if stat is None:
        return Query(query_id, member.get("Period"), expression=str(expression), **shared)
    check_statistic(stat["Stat"], "Stat")
    check_period(stat["Period"])
    metric = stat["Metric"]
    key = MetricKey(
        metric.get("Namespace", ""), metric.get("MetricName", ""), dimensions_of(metric.get("Dimensions", []))
    )
    return Query(query_id, stat["Period"], key, stat["Stat"], stat.get("Unit"), **shared)


def _check_references(query: Query, ids: set[str]) -> None:
    if query.metric is not None:
        return
    try:
        mentioned = names(metric_math.check(query.expression))
    except MathError as error:
        raise _expression_error(query, error) from error
    for name in sorted(mentioned):
        if name[0].islower() and name not in ids:
            raise AwsError(
                "ValidationError",
                f"Error in expression '{query.id}': Unknown identifier '{name}'",
                status=400,
            )


def _expression_error(query: Query, error: MathError) -> AwsError:
    return AwsError("ValidationError", f"Error in expression '{query.id}': {error}", status=400)


class Resolver:
    """Resolves a set of queries over one window; each query is computed once."""

    def __init__(
        self, store: MetricStore, queries: Sequence[Query], window: Window, readings: Readings | None = None
    ) -> None:
        readings = readings or Readings()
        self._store = store
        self._fills_empty = readings.empty_series == "filled"
        self._queries = {query.id: query for query in queries}
        self._window = window
        self._values: dict[str, Value] = {}
        self._under_way: set[str] = set()
        #: The sample count of each metric query, by period.
        self.sample_counts: dict[str, dict[int, float]] = {}

    def result(self, query_id: str) -> list[TimeSeries]:
        """The time series of one query; several if an expression yields an array."""
        value = self._value(query_id)
        if isinstance(value, float):
            raise AwsError("ValidationError", f"The query {query_id} does not yield a time series.", status=400)
        return value if isinstance(value, list) else [value]

    def _value(self, query_id: str) -> Value:
        if query_id not in self._values:
            self._values[query_id] = self._compute(self._queries[query_id])
        return self._values[query_id]

    def _compute(self, query: Query) -> Value:
        if query.metric is not None:
            return self._fetch(query)
        if query.id in self._under_way:
            raise AwsError("ValidationError", f"Error in expression '{query.id}': it refers to itself", status=400)
        self._under_way.add(query.id)
        try:
            computed = metric_math.compute(query.expression, self._scope(query))
        except MathError as error:
            raise _expression_error(query, error) from error
        finally:
            self._under_way.discard(query.id)
        labelled = [self._labelled(query, series, len(computed)) for series in computed]
        return labelled[0] if len(labelled) == 1 else list(labelled)

    def _scope(self, query: Query) -> metric_math.MathScope:
        metrics = {
            other.id: self._metric(other.id) for other in self._queries.values() if other.metric is not None
        }
        period_s = max([query.period_s or 0, *(series.period_s for series in metrics.values())]) or 60
        return metric_math.MathScope(self._value, metrics, Grid(self._window.start, self._window.end, period_s))

    def _metric(self, query_id: str) -> TimeSeries:
        value = self._value(query_id)
        assert isinstance(value, TimeSeries)
        return value

    def _fetch(self, query: Query) -> TimeSeries:
        assert query.metric is not None
        assert query.period_s is not None
        window = self._window
        buckets = self._store.datapoints(
            query.metric,
            start=window.start,
            end=window.end,
            period_s=query.period_s,
            now=window.now,
            unit=query.unit,
            with_values=query.statistic not in SIMPLE,
        )
        self.sample_counts[query.id] = {at: bucket.sample_count for at, bucket in buckets.items()}
        points = {}
        for at, bucket in buckets.items():
            value = value_of(bucket, query.statistic)
            if value is not None:
                points[at] = value
        label = query.label if query.label is not None else query.metric.name
        exists = bool(points) or self._fills_empty or self._store.exists(query.metric, window.now)
        return TimeSeries(points, query.period_s, query.id, label, exists)

    def _labelled(self, query: Query, series: TimeSeries, of: int) -> TimeSeries:
        own = query.label if query.label is not None else query.id
        label = own if of == 1 else f"{own} {series.label}".strip()
        return replace(series, id=query.id, label=label)
