"""The operations on metrics: put, list, and get as statistics or by queries."""

import math
from collections.abc import Sequence
from typing import Any

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.service import Call
from serinus.offline.services.cloudwatch.base import Regional, invalid
from serinus.offline.services.cloudwatch.datum import check_namespace, epoch, samples_of
from serinus.offline.services.cloudwatch.pages import page, share
from serinus.offline.services.cloudwatch.queries import Resolver, Window, check_period, queries_of
from serinus.offline.services.cloudwatch.statistics import SIMPLE, Bucket, check_statistic, value_of
from serinus.offline.services.cloudwatch.store import MetricKey, dimensions_of, dimensions_out
from serinus.offline.services.cloudwatch.time_series import TimeSeries

MAX_REQUEST_BYTES = 1024 * 1024
MAX_DATA = 1000
MAX_QUERIES = 500
MOST_DATAPOINTS = 100_800
MAX_DATAPOINTS_A_CALL = 1440

HOUR_S = 3600
DAY_S = 86_400
#: Retention by resolution: (period up to, seconds kept).
RETENTION = ((60, 3 * HOUR_S), (300, 15 * DAY_S), (HOUR_S, 63 * DAY_S))
LONGEST_RETENTION_S = 455 * DAY_S


class MetricsApi(Regional):
    """Operations of CloudWatch on metrics, by region."""

    def put_metric_data(self, call: Call) -> dict[str, Any]:
        if "EntityMetricData" in call.params:
            raise NotModelled("EntityMetricData of PutMetricData", "Send the metrics in MetricData.")
        if len(call.request.data) > MAX_REQUEST_BYTES:
            raise AwsError("InvalidParameterValue", "The request is larger than 1 MB.", status=413)
        namespace = check_namespace(call.params["Namespace"])
        data = call.params.get("MetricData", [])
        if not data:
            raise invalid("The parameter MetricData is required.", "MissingParameter")
        if len(data) > MAX_DATA:
            raise invalid(f"The collection MetricData must not have a size greater than {MAX_DATA}.")
        now = self.context.clock.time()
        samples = [
            sample
            for position, datum in enumerate(data, 1)
            for sample in samples_of(namespace, datum, position, now)
        ]
        store = self.store(call.region)
        delayed: dict[MetricKey, float] = {}
        for sample in samples:
            if sample.key not in delayed:
                delayed[sample.key] = self.visibility.visible_at(store, sample.key, now)
            store.put(sample._replace(visible_at=delayed[sample.key]))
        return {}

    def list_metrics(self, call: Call) -> dict[str, Any]:
        params = call.params
        for name in ("IncludeLinkedAccounts", "OwningAccount"):
            if params.get(name):
                raise NotModelled(f"{name} of ListMetrics")
        now = self.context.clock.time()
        recently = params.get("RecentlyActive")
        if recently not in (None, "PT3H"):
            raise invalid(f"The value {recently} for parameter RecentlyActive must be PT3H.")
        since = now - (3 * HOUR_S if recently else 14 * DAY_S)
        keys = [key for key in self.store(call.region).keys(since=since, now=now) if _listed(key, params)]
        shown, token = page(keys, 500, call)
        metrics = [
            {"Namespace": key.namespace, "MetricName": key.name, "Dimensions": dimensions_out(key.dimensions)}
            for key in shown
        ]
        return {"Metrics": metrics} | token

    def get_metric_statistics(self, call: Call) -> dict[str, Any]:
        params = call.params
        statistics, extended = params.get("Statistics", []), params.get("ExtendedStatistics", [])
        if bool(statistics) == bool(extended):
            raise invalid(
                "Exactly one of Statistics and ExtendedStatistics must be specified.",
                "InvalidParameterCombination" if statistics else "MissingParameter",
            )
        for statistic in statistics:
            if statistic not in SIMPLE:
                raise invalid(f"The value {statistic} for parameter Statistics is not supported.")
        for statistic in extended:
            check_statistic(statistic, "ExtendedStatistics")
        period_s = params["Period"]
        check_period(period_s)
        window = self._window(params, period_s)
        if (window.end - window.start) / period_s > MAX_DATAPOINTS_A_CALL:
            raise invalid(
                "You have requested up to "
                f"{math.ceil((window.end - window.start) / period_s):,} datapoints, which exceeds the limit of "
                f"{MAX_DATAPOINTS_A_CALL:,}. You may reduce the datapoints requested by increasing Period, or "
                "decreasing the time range.",
                "InvalidParameterCombination",
            )
        key = _key(params)
        points = self._datapoints(call.region, key, window, period_s, params.get("Unit"), [*statistics, *extended])
        return {"Label": key.name, "Datapoints": points}

    def get_metric_data(self, call: Call) -> dict[str, Any]:
        params = call.params
        members = params["MetricDataQueries"]
        if not 1 <= len(members) <= MAX_QUERIES:
            raise invalid(f"The number of MetricDataQueries is {len(members)}; it must be 1 to {MAX_QUERIES}.")
        for member in members:
            if "${" in member.get("Label", ""):
                raise NotModelled(f"dynamic labels ({member['Label']})")
        queries = queries_of(members)
        periods = [query.period_s for query in queries if query.period_s]
        window = self._window(params, min(periods, default=60))
        resolver = Resolver(self.store(call.region), queries, window, self.context.config.readings)
        newest_first = params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        series = [series_item for query in queries if query.returns for series_item in resolver.result(query.id)]
        points = [_ordered(series_item, window, newest_first) for series_item in series]
        limit = min(params.get("MaxDatapoints", MOST_DATAPOINTS), MOST_DATAPOINTS)
        parts, token = share(points, limit, call)
        results = [
            _result(series_item, part, len(whole))
            for series_item, part, whole in zip(series, parts, points, strict=True)
        ]
        return {"MetricDataResults": results, "Messages": []} | token

    def _window(self, params: dict[str, Any], period_s: int) -> Window:
        now = self.context.clock.time()
        start, end = epoch(params["StartTime"]), epoch(params["EndTime"])
        if start >= end:
            raise invalid("The parameter StartTime must be less than the parameter EndTime.")
        return Window(_kept(_rounded(start, now, period_s), now, period_s), math.ceil(end), now)

    def _datapoints(
        self,
        region: str,
        key: MetricKey,
        window: Window,
        period_s: int,
        unit: str | None,
        statistics: Sequence[str],
    ) -> list[dict[str, Any]]:
        store, points = self.store(region), []
        for one_unit in [unit] if unit else store.units(key, window.now):
            buckets = store.datapoints(
                key, start=window.start, end=window.end, period_s=period_s, now=window.now, unit=one_unit
            )
            points += [_datapoint(at, bucket, one_unit, statistics) for at, bucket in buckets.items()]
        return [point for point in points if len(point) > 2]


def _datapoint(at: int, bucket: Bucket, unit: str, statistics: Sequence[str]) -> dict[str, Any]:
    simple = {name: value_of(bucket, name) for name in statistics if name in SIMPLE}
    extended = {name: value_of(bucket, name) for name in statistics if name not in SIMPLE}
    known = {name: value for name, value in extended.items() if value is not None}
    return {"Timestamp": at, "Unit": unit} | simple | ({"ExtendedStatistics": known} if known else {})


def _ordered(series_item: TimeSeries, window: Window, newest_first: bool) -> list[tuple[int, float]]:
    inside = ((at, value) for at, value in series_item.points.items() if window.start <= at < window.end)
    return sorted(inside, reverse=newest_first)


def _result(series_item: TimeSeries, part: Sequence[tuple[int, float]], of: int) -> dict[str, Any]:
    return {
        "Id": series_item.id,
        "Label": series_item.label,
        "Timestamps": [at for at, _ in part],
        "Values": [value for _, value in part],
        "StatusCode": "Complete" if len(part) == of else "PartialData",
    }


def _rounded(start: float, now: float, period_s: int) -> int:
    """A start time rounded down: to the minute, coarser for old data, or to a period below a minute.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    age = now - start
    step = 60 if age < 15 * DAY_S else 300 if age <= 63 * DAY_S else HOUR_S
    if period_s < 60:
        step = period_s
    return int(start // step) * step


def _kept(start: int, now: float, period_s: int) -> int:
    """The start of the retention at the resolution that ``period_s`` requires."""
    kept_s = LONGEST_RETENTION_S
    for up_to, seconds in reversed(RETENTION):
        if period_s < up_to or period_s % up_to:
            kept_s = seconds
    oldest = int(now - kept_s)
    return start if start >= oldest else oldest + (start - oldest) % period_s


def _key(params: dict[str, Any]) -> MetricKey:
    return MetricKey(params["Namespace"], params["MetricName"], dimensions_of(params.get("Dimensions", [])))


def _listed(key: MetricKey, params: dict[str, Any]) -> bool:
    if params.get("Namespace") not in (None, key.namespace) or params.get("MetricName") not in (None, key.name):
        return False
    has = dict(key.dimensions)
    return all(
        dimension["Name"] in has and dimension.get("Value") in (None, has[dimension["Name"]])
        for dimension in params.get("Dimensions", [])
    )
