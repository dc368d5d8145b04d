"""The metrics that Lambda itself sends: which ones, under which dimensions, at whose time.

Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics.html
"""

from typing import TYPE_CHECKING, Any

from serinus.offline.services.lambda_.routing import Route

if TYPE_CHECKING:
    from serinus.offline.cloud.cloud import Cloud

NAMESPACE = "AWS/Lambda"
UNITS = {"Duration": "Milliseconds", "AsyncEventAge": "Milliseconds", "ProvisionedConcurrencyUtilization": "None"}

Dimensions = dict[str, str]


class LambdaMetrics:
    """Records into CloudWatch; a cloud without CloudWatch keeps no metrics."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud

    def record(self, region: str, sets: list[Dimensions], at: float, values: dict[str, float]) -> None:
        """Record each of ``values`` under each set of dimensions at cloud time ``at``."""
        cloudwatch: Any = self._cloud.services.get("cloudwatch")
        if cloudwatch is None:
            return
        for name, value in values.items():
            unit = UNITS.get(name, "Count")
            for dimensions in sets:
                cloudwatch.record(region, NAMESPACE, name, dimensions, value, unit=unit, at=at)


def dimension_sets(function: str, route: Route) -> list[Dimensions]:
    """Across all functions, by function, by resource, and by executed version only while the alias is weighted."""
    by_resource = {"FunctionName": function, "Resource": route.resource}
    sets = [{}, {"FunctionName": function}, by_resource]
    if route.weighted:
        sets.append({**by_resource, "ExecutedVersion": route.version})
    return sets
