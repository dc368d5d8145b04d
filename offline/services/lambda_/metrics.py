"""Lambda's own metrics, their dimensions and times.

Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics.html
"""

from serinus.offline.core.ports import MetricSink
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


def dimension_sets(function: str, route: InvocationRoute) -> list[DimensionSet]:
    """All functions, by function, by resource, and by executed version only while the alias is weighted."""
    by_resource = {"FunctionName": function, "Resource": route.resource}
    sets = [{}, {"FunctionName": function}, by_resource]
    if route.weighted:
        sets.append({**by_resource, "ExecutedVersion": route.version})
    return sets
