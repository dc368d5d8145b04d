"""Checks PutMetricAlarm's settings and parses them into queries and a threshold.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serinus.offline.core.errors import NotModelled
from serinus.offline.services.cloudwatch.base import malformed
from serinus.offline.services.cloudwatch.queries import Query, Resolver, Window, queries_of
from serinus.offline.services.cloudwatch.statistics import SIMPLE, check_statistic
from serinus.offline.services.cloudwatch.store import MINUTE_S, MetricKey, MetricStore, Sample, dimensions_of

NOT_MODELLED = (
    "ThresholdMetricId",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
)
ANOMALY_OPERATORS = (
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
MISSING = ("breaching", "notBreaching", "ignore", "missing")
SINGLE_METRIC = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
MAX_METRICS = 10
DAY_S = 86_400
WEEK_S = 604_800


@dataclass(frozen=True, slots=True)
class Watch:
    """A metric alarm's condition: the watched series is beyond the threshold in M of N periods."""

    queries: tuple[Query, ...]
    watched: str
    period_s: int
    periods: int
    to_alarm: int
    operator: str
    threshold: float
    missing: str
    statistic: str | None
    unit: str | None
    ignores_few_samples: bool

    def breaches(self, value: float) -> bool:
        return OPERATORS[self.operator](value, self.threshold)


def watch_of(settings: dict[str, Any]) -> Watch:
    """The watch of an alarm's settings; raises for settings that AWS rejects or this cloud does not model."""
    for name in NOT_MODELLED:
        if name in settings:
            raise NotModelled(f"{name} of PutMetricAlarm")
    comparison = settings.get("ComparisonOperator")
    if comparison in ANOMALY_OPERATORS:
        raise NotModelled(f"anomaly detection alarms (ComparisonOperator {comparison})")
    if comparison not in OPERATORS:
        raise malformed(f"ComparisonOperator is {comparison!r}; it must be one of {', '.join(OPERATORS)}.")
    if "Threshold" not in settings:
        raise malformed("Threshold is required for alarms with a static threshold.")
    single = "MetricName" in settings
    queries = _single_query(settings) if single else _math_queries(settings)
    watched = next(query for query in queries if query.returns)
    period_s = max(query.period_s or 0 for query in queries)
    periods, to_alarm = _periods(settings, period_s)
    return Watch(
        queries=queries,
        watched=watched.id,
        period_s=period_s,
        periods=periods,
        to_alarm=to_alarm,
        operator=comparison,
        threshold=float(settings["Threshold"]),
        missing=_missing(settings, queries),
        statistic=watched.statistic or None,
        unit=watched.unit,
        ignores_few_samples=settings.get("EvaluateLowSampleCountPercentile") == "ignore",
    )


def _periods(settings: dict[str, Any], period_s: int) -> tuple[int, int]:
    periods = settings.get("EvaluationPeriods")
    if not isinstance(periods, int) or periods < 1:
        raise malformed(f"EvaluationPeriods is {periods!r}; it must be a whole number of at least 1.")
    to_alarm = settings.get("DatapointsToAlarm", periods)
    if not 1 <= to_alarm <= periods:
        raise malformed(f"DatapointsToAlarm is {to_alarm}; it must be from 1 to EvaluationPeriods ({periods}).")
    longest = WEEK_S if period_s >= 3600 else DAY_S
    if period_s * periods > longest:
        raise malformed(
            f"Metrics cannot be checked across more than {longest} seconds (EvaluationPeriods * Period must be "
            f"<= {longest}); it is {period_s * periods}."
        )
    return periods, to_alarm


def _missing(settings: dict[str, Any], queries: tuple[Query, ...]) -> str:
    """TreatMissingData; alarms on DynamoDB's metrics ignore missing data by default."""
    of_dynamodb = any(query.metric and query.metric.namespace == "AWS/DynamoDB" for query in queries)
    missing = settings.get("TreatMissingData", "ignore" if of_dynamodb else "missing")
    if missing not in MISSING:
        raise malformed(f"TreatMissingData is {missing!r}; it must be one of {', '.join(MISSING)}.")
    low = settings.get("EvaluateLowSampleCountPercentile", "evaluate")
    if low not in ("evaluate", "ignore"):
        raise malformed(f"EvaluateLowSampleCountPercentile is {low!r}; it must be evaluate or ignore.")
    return str(missing)


def _single_query(settings: dict[str, Any]) -> tuple[Query, ...]:
    if "Metrics" in settings:
        raise malformed("An alarm has either MetricName or Metrics, not both.")
    statistic, extended = settings.get("Statistic"), settings.get("ExtendedStatistic")
    if (statistic is None) == (extended is None):
        raise malformed("Exactly one of Statistic and ExtendedStatistic must be specified.")
    if statistic is not None and statistic not in SIMPLE:
        raise malformed(f"Statistic is {statistic!r}; it must be one of {', '.join(SIMPLE)}.")
    if extended is not None:
        check_statistic(extended, "ExtendedStatistic")
    for name in ("Namespace", "Period"):
        if name not in settings:
            raise malformed(f"{name} is required for an alarm on a single metric.")
    _check_period(settings["Period"])
    key = MetricKey(settings["Namespace"], settings["MetricName"], dimensions_of(settings.get("Dimensions", [])))
    return (Query("m1", settings["Period"], key, statistic or str(extended), settings.get("Unit")),)


def _math_queries(settings: dict[str, Any]) -> tuple[Query, ...]:
    supplied = [name for name in SINGLE_METRIC if name in settings]
    members = settings.get("Metrics")
    if not members:
        raise malformed("An alarm needs MetricName, or Metrics.")
    if supplied:
        raise malformed(f"{', '.join(supplied)} must not be specified together with Metrics.")
    for member in members:
        if "SEARCH(" in member.get("Expression", "").upper():
            raise malformed("SEARCH is not supported on Metric Alarms.")
    queries = queries_of(members)
    returned = [query.id for query in queries if query.returns]
    if len(returned) != 1:
        raise malformed(f"Exactly one element of Metrics must have ReturnData true; here {returned} do.")
    metrics = [query for query in queries if query.metric is not None]
    if not 1 <= len(metrics) <= MAX_METRICS:
        raise malformed(f"Metrics has {len(metrics)} metrics; an alarm can have 1 to {MAX_METRICS}.")
    periods = {query.period_s for query in metrics if query.period_s is not None}
    if len(periods) > 1:
        raise malformed(f"Metrics have the periods {sorted(periods)}; an alarm's must all be the same.")
    _check_period(*periods)
    _check_result(queries, returned[0])
    return tuple(queries)


def _check_result(queries: list[Query], watched: str) -> None:
    """Evaluate the watched expression on metrics with one value each: it must yield a single time series."""
    store = MetricStore()
    for query in queries:
        if query.metric is not None:
            store.put(Sample(0.0, query.metric, query.unit or "None", 0.0, MINUTE_S, 1.0, 1.0))
    results = Resolver(store, queries, Window(0, max(query.period_s or 0 for query in queries), 0.0)).result(
        watched
    )
    if len(results) != 1:
        raise malformed(
            f"The expression {watched} yields {len(results)} time series; an alarm can watch only one."
        )


def _check_period(period_s: int) -> None:
    if period_s not in (10, 20, 30) and (period_s < 60 or period_s % 60):
        raise malformed(f"Period is {period_s}; it must be 10, 20, 30 or a multiple of 60.")
