"""Invocations by version while an alias has weights, as Lambda's own metrics count them.

Whether those metrics name the executed version only while the alias has weights, or of every request, is not
documented. Minutes in which weights begin or end count in full under the first reading, in proportion under the
second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MINUTE_S = 60
#: Minutes before the shift in which the stable version's invocations show the reading.
_BEFORE_MINUTES = 3


@dataclass(frozen=True, slots=True)
class InvocationCounts:
    """Invocations through the alias that Lambda counted for one version while the alias had weights, and how many
    of them failed unhandled."""

    invocations: int
    errors: int


@dataclass(frozen=True, slots=True)
class WeightedTime:
    """The alias had weights from ``start`` to ``end`` (epoch seconds); ``stable`` alone served before, ``final``
    after."""

    start: float
    end: float
    stable: str
    final: str

    def share(self, version: str, minute: float) -> float:
        """The share of the minute's invocations of ``version`` that were made under weights; 0 to 1. A minute in
        which all traffic moves to the canary is left out: its rate changes too much."""
        if minute + MINUTE_S <= self.start or minute >= self.end:
            return 0.0
        if minute + MINUTE_S > self.end and self.final != self.stable:
            return 0.0
        if version != self.stable:
            return 1.0
        return (min(minute + MINUTE_S, self.end) - max(minute, self.start)) / MINUTE_S


def count_invocations(
    cloudwatch: Any, function: str, versions: Sequence[str], weighted: WeightedTime
) -> dict[str, InvocationCounts]:
    """What CloudWatch counted for ``versions`` behind alias `live` of ``function``."""
    first = weighted.start // MINUTE_S * MINUTE_S
    queries = [
        {"Id": f"{name.lower()}{version}", "MetricStat": _statistic(function, name, version)}
        for version in versions
        for name in ("Invocations", "Errors")
    ]
    start, end = first - _BEFORE_MINUTES * MINUTE_S, weighted.end // MINUTE_S * MINUTE_S + MINUTE_S
    response = cloudwatch.get_metric_data(
        MetricDataQueries=queries,
        StartTime=datetime.fromtimestamp(start, UTC),
        EndTime=datetime.fromtimestamp(end, UTC),
    )
    series = {
        result["Id"]: {
            at.timestamp(): value for at, value in zip(result["Timestamps"], result["Values"], strict=True)
        }
        for result in response["MetricDataResults"]
    }
    always_named = any(minute < first for minute in series.get(f"invocations{weighted.stable}", {}))

    def total(version: str, values: Mapping[float, float]) -> int:
        counted = 0.0
        for minute, value in values.items():
            share = weighted.share(version, minute)
            counted += value * share if always_named else value * (minute < weighted.end)
        return round(counted)

    return {
        version: InvocationCounts(
            total(version, series.get(f"invocations{version}", {})),
            total(version, series.get(f"errors{version}", {})),
        )
        for version in versions
    }


def _statistic(function: str, name: str, version: str) -> dict[str, Any]:
    dimensions = {"FunctionName": function, "Resource": f"{function}:live", "ExecutedVersion": version}
    return {
        "Metric": {
            "Namespace": "AWS/Lambda",
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        },
        "Period": MINUTE_S,
        "Stat": "Sum",
    }
