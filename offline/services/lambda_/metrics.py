"""Lambda's own metrics, their dimensions and times.

Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics.html
"""

from serinus.offline.core.ports import MetricSink
from serinus.offline.core.readings import Readings
from serinus.offline.services.lambda_.routing import InvocationRoute

NAMESPACE = "AWS/Lambda"
UNITS = {"Duration": "Milliseconds", "AsyncEventAge": "Milliseconds", "ProvisionedConcurrencyUtilization": "None"}

DimensionSet = dict[str, str]


class LambdaMetrics:
    """Records metrics in CloudWatch."""

    def __init__(self, sink: MetricSink) -> None:
        self._sink = sink

    def record(self, region: str, sets: list[DimensionSet], at: float, values: dict[str, float]) -> None:
        """Record each of ``values`` under each set of dimensions at cloud time ``at``."""
        for name, value in values.items():
            unit = UNITS.get(name, "Count")
            for dimensions in sets:
                self._sink.record(region, NAMESPACE, name, dimensions, value, unit=unit, at=at)


def dimension_sets(
    function: str, route: InvocationRoute, readings: Readings, *, throttled: bool = False
) -> list[DimensionSet]:
    """All functions, by function, by resource, and by the executed version of a call by alias, as read."""
    by_resource = {"FunctionName": function, "Resource": route.resource}
    sets = [{}, {"FunctionName": function}, by_resource]
    if throttled and readings.throttled_version == "absent":
        return sets
    if route.weighted or (route.by_alias and readings.executed_version == "always"):
        sets.append({**by_resource, "ExecutedVersion": route.version})
    return sets
