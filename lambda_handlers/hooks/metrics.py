"""Reads both versions' live signals from CloudWatch, minute by minute.

Handled errors, rejections, inits and predictions are the function's own embedded metrics, by version. Invocations,
crashes and durations are Lambda's, by alias and executed version, so that no probe is counted. Lambda names the
executed version only while an alias has weights: after a switch at once, only the time says which version served.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from serinus.lambda_handlers.contract import signals
from serinus.lambda_handlers.hooks.errors import IncompleteMetrics
from serinus.lambda_handlers.hooks.observations import VersionMinute

MINUTE_S = 60
FIVE_MINUTES_S = 300
HOUR_S = 3600
#: Where Lambda does not name the version: the share of the alias' invocations that the version itself must report.
SERVED_ALONE = 0.9
#: A response that takes less than this many times, or milliseconds more than, the median is not slow.
TRIFLE, TRIFLE_MS = 1.5, 10.0
#: Lambda's longest run in milliseconds: no latency lies above.
LONGEST_MS = 900_000

#: Values by series name, then by epoch seconds.
Series = Mapping[str, Mapping[float, float]]


class CloudWatch(Protocol):
    """boto3's CloudWatch client, as far as it is used here."""

    def get_metric_data(self, **parameters: Any) -> dict[str, Any]: ...
    def put_metric_data(self, **parameters: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Query:
    """One metric's statistic under some dimensions."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str


@dataclass(frozen=True, slots=True)
class Source:
    """The metrics that hold one version's live signals; ``weighted``: the alias had weights at the time.
    Predictions are those counted in ``bins``, None for none."""

    function: str
    alias: str
    version: str
    weighted: bool
    bins: str | None

    def own(self, metric: str, statistic: str, **more: str) -> Query:
        dimensions = {signals.DIMENSION_FUNCTION: self.function, signals.DIMENSION_VERSION: self.version, **more}
        return Query(signals.METRIC_NAMESPACE, metric, dimensions, statistic)

    def lambdas(self, metric: str, statistic: str) -> Query:
        dimensions = {"FunctionName": self.function, "Resource": f"{self.function}:{self.alias}"}
        if self.weighted:
            dimensions["ExecutedVersion"] = self.version
        return Query("AWS/Lambda", metric, dimensions, statistic)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Milliseconds above which durations and inits are slow; None where no init is known to compare with."""

    slow_ms: float
    slow_init_ms: float | None


def learn_thresholds(cloudwatch: CloudWatch, stable: Source, start: float, fallback_slow_ms: float) -> Thresholds:
    """Thresholds from the stable version's traffic before the canary's first request.

    A duration is slow above the 90th percentile of the alias in the last hour, and at least `TRIFLE` times and
    `TRIFLE_MS` above its median, so that a tight distribution does not count trifles. An init is slow above twice
    its 90th percentile of a day.
    """
    alias = replace(stable, weighted=False)
    inits = _usual(cloudwatch, {"p90": stable.own(signals.METRIC_INIT, "p90")}, start - 24 * HOUR_S, start)
    slow_init_ms = 2 * inits["p90"] if inits else None
    queries = {name: alias.lambdas("Duration", name) for name in ("p50", "p90")}
    usual_ms = _usual(cloudwatch, queries, start - HOUR_S, start)
    if not usual_ms:
        return Thresholds(fallback_slow_ms, slow_init_ms)
    median, p90 = usual_ms["p50"], usual_ms["p90"]
    return Thresholds(max(p90, TRIFLE * median, median + TRIFLE_MS), slow_init_ms)


def _usual(cloudwatch: CloudWatch, queries: Mapping[str, Query], start: float, end: float) -> dict[str, float]:
    """Each query's median over five minutes, which few requests make less noisy than minutes do; over minutes
    where there were no five. Only periods that ended by ``end`` count. Empty without traffic."""
    for period in (FIVE_MINUTES_S, MINUTE_S):
        series = _read(cloudwatch, queries, start, end // period * period, period)
        if all(series.values()):
            return {name: statistics.median(values.values()) for name, values in series.items()}
    return {}


def read_version(
    cloudwatch: CloudWatch, source: Source, thresholds: Thresholds, start: float, end: float
) -> dict[float, VersionMinute]:
    """One version's minutes from ``start`` to ``end`` (whole minutes, epoch seconds), by their start; a minute
    without any request is left out, and so is one in which the alias served another version too. Raises
    `IncompleteMetrics`."""
    minutes, shared = _read_minutes(cloudwatch, source, thresholds, start, end)
    return {moment: minute for moment, minute in minutes.items() if moment not in shared}


def read_history(
    cloudwatch: CloudWatch, source: Source, thresholds: Thresholds, start: float, end: float
) -> dict[float, VersionMinute]:
    """As `read_version`, of minutes that lie far back: the moments at which the alias moved are not known.
    Crashes in a minute beside one of another version may be that version's, so such minutes are left out. Where
    all requests crashed, nothing says whose they were."""
    minutes, shared = _read_minutes(cloudwatch, source, thresholds, start, end)
    doubtful = shared | {moment for moment, minute in minutes.items() if 0 < minute.requests == minute.crashes}
    beside = {moment + step for moment in doubtful for step in (-MINUTE_S, MINUTE_S)}
    return {
        moment: minute
        for moment, minute in minutes.items()
        if moment not in doubtful and not (minute.crashes and moment in beside)
    }


def _read_minutes(
    cloudwatch: CloudWatch, source: Source, thresholds: Thresholds, start: float, end: float
) -> tuple[dict[float, VersionMinute], set[float]]:
    """The minutes by their start, and those in which the alias served another version too."""
    queries = _queries(source, thresholds)
    if not source.weighted:
        queries["executed"] = replace(source, weighted=True).lambdas("Invocations", "Sum")
    series = _read(cloudwatch, queries, start, end, MINUTE_S)
    times = sorted({moment for values in series.values() for moment in values})
    minutes = {moment: _minute(series, moment) for moment in times}
    if source.weighted:
        return minutes, set()
    shared = {
        moment for moment, minute in minutes.items() if not _served_alone(minute, series["executed"].get(moment))
    }
    return minutes, shared


def _served_alone(minute: VersionMinute, executed: float | None) -> bool:
    """Whether all of the alias' requests in ``minute`` were the version's. ``executed``: those that Lambda counted
    for the version by name, None where it named none. Crashes are counted by Lambda alone."""
    if executed is not None and executed < minute.invocations:
        return False
    return minute.requests - minute.crashes >= SERVED_ALONE * (minute.invocations - minute.crashes)


def _queries(source: Source, thresholds: Thresholds) -> dict[str, Query]:
    queries = {
        "answered": source.own(signals.METRIC_LATENCY, "SampleCount"),
        "errors": source.own(signals.METRIC_ERRORS, "Sum"),
        "rejected": source.own(signals.METRIC_REJECTED, "Sum"),
        "non_finite": source.own(signals.METRIC_NON_FINITE, "Sum"),
        "inits": source.own(signals.METRIC_INIT, "SampleCount"),
        "first": source.own(signals.METRIC_FIRST, "SampleCount"),
        "invocations": source.lambdas("Invocations", "Sum"),
        "crashes": source.lambdas("Errors", "Sum"),
        "slow": source.lambdas("Duration", _count_between(thresholds.slow_ms, LONGEST_MS)),
    }
    if thresholds.slow_init_ms is not None:
        limit = _count_between(thresholds.slow_init_ms, LONGEST_MS)
        queries["slow_inits"] = source.own(signals.METRIC_INIT, limit)
    if source.bins is not None:
        same_bins = {signals.DIMENSION_BINS: source.bins}
        for index in range(signals.PREDICTION_BINS):
            value = signals.prediction_value(index)
            between = _count_between(0.75 * value, 1.5 * value)
            queries[f"bin_{index}"] = source.own(signals.METRIC_PREDICTION, between, **same_bins)
    return queries


def _count_between(low: float, high: float) -> str:
    """CloudWatch's trimmed count: samples above ``low`` and up to ``high``.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"""
    return f"TC({low:.10g}:{high:.10g})"


def _minute(series: Series, moment: float) -> VersionMinute:
    def count(name: str) -> int:
        value = series[name].get(moment, 0.0) if name in series else 0.0
        return round(value) if math.isfinite(value) and value > 0 else 0

    crashes = count("crashes")
    requests = count("answered") + crashes
    invocations = max(requests, count("invocations"))
    inits = count("inits")
    return VersionMinute(
        requests=requests,
        errors=min(requests, count("errors") + crashes),
        crashes=crashes,
        rejected=min(requests, count("rejected")),
        non_finite=min(requests, count("non_finite")),
        slow=min(invocations, count("slow")),
        inits=inits,
        slow_inits=min(inits, count("slow_inits")),
        first=inits + count("first"),
        invocations=invocations,
        predictions=tuple(count(f"bin_{index}") for index in range(signals.PREDICTION_BINS)),
    )


def _read(
    cloudwatch: CloudWatch, queries: Mapping[str, Query], start: float, end: float, period_s: int
) -> dict[str, dict[float, float]]:
    series: dict[str, dict[float, float]] = defaultdict(dict)
    states: dict[str, str] = {}
    parameters: dict[str, Any] = {
        "MetricDataQueries": [_metric_data_query(name, query, period_s) for name, query in queries.items()],
        "StartTime": datetime.fromtimestamp(start // period_s * period_s, UTC),
        "EndTime": datetime.fromtimestamp(end, UTC),
        "ScanBy": "TimestampAscending",
    }
    while True:
        page = cloudwatch.get_metric_data(**parameters)
        for result in page["MetricDataResults"]:
            times = [moment.timestamp() for moment in result["Timestamps"]]
            series[result["Id"]].update(zip(times, result["Values"], strict=True))
            states[result["Id"]] = result.get("StatusCode", "Complete")
        if "NextToken" not in page:
            if lacking := sorted(name for name, state in states.items() if state != "Complete"):
                raise IncompleteMetrics(f"CloudWatch returned {states[lacking[0]]} for {', '.join(lacking)}")
            return {name: series[name] for name in queries}
        parameters["NextToken"] = page["NextToken"]


def _metric_data_query(name: str, query: Query, period_s: int) -> dict[str, Any]:
    dimensions: Sequence[dict[str, str]] = [
        {"Name": key, "Value": value} for key, value in query.dimensions.items()
    ]
    metric = {"Namespace": query.namespace, "MetricName": query.metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": period_s, "Stat": query.statistic}}
