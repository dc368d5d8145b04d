"""The metrics of an endpoint as dashboards query them.

Synth does not know which versions are live, so metrics by version are searched for: whatever has data is shown.
The endpoint's own metrics have function and version as dimensions, Lambda's the function, API Gateway's API and
stage.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from serinus.lambda_handlers.contract import signals

MINUTE = cdk.Duration.minutes(1)
HOUR = cdk.Duration.hours(1)

OWN = (signals.METRIC_NAMESPACE, signals.DIMENSION_FUNCTION, signals.DIMENSION_VERSION)
BY_OUTCOME = (*OWN, signals.DIMENSION_OUTCOME)
#: Lambda's own by version, which it publishes while the alias has weights.
BY_EXECUTED_VERSION = ("AWS/Lambda", "ExecutedVersion", "FunctionName", "Resource")


@dataclass(frozen=True, slots=True)
class ApiMetrics:
    """API Gateway's metrics of one API; REST and HTTP APIs name them differently."""

    kind: str
    dimensions: Mapping[str, str]
    client_errors: str
    server_errors: str


def rest_api_metrics(name: str, stage: str) -> ApiMetrics:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"""
    return ApiMetrics("rest", {"ApiName": name, "Stage": stage}, "4XXError", "5XXError")


def http_api_metrics(api_id: str, stage: str) -> ApiMetrics:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html"""
    return ApiMetrics("http", {"ApiId": api_id, "Stage": stage}, "4xx", "5xx")


@dataclass(frozen=True, slots=True)
class EndpointMetrics:
    """Metrics of ``function`` and of the API in front of it."""

    function: str
    api: ApiMetrics

    def by_version(
        self, metric: str, statistic: str, *, schema: tuple[str, ...] = OWN, period: cdk.Duration = MINUTE
    ) -> cloudwatch.MathExpression:
        """A line for each version, or for other dimensions of ``schema``, a namespace and dimensions."""
        return _math(self._search(metric, statistic, schema, period), "", period=period)

    def share_by_version(self, metric: str) -> cloudwatch.MathExpression:
        """Each version's share of all samples of ``metric``, in percent."""
        counted = self._search(metric, "SampleCount", OWN, MINUTE)
        return _math(f"100 * {counted} / SUM({counted})", "", period=MINUTE)

    def summed(
        self, metric: str, statistic: str, label: str, *, factor: float = 1.0, period: cdk.Duration = MINUTE
    ) -> cloudwatch.MathExpression:
        """All versions together, times ``factor``."""
        total = f"SUM({self._search(metric, statistic, OWN, period)})"
        return _math(total if factor == 1.0 else f"{factor:.12f} * {total}", label, period=period)

    def of_lambda(
        self, metric: str, statistic: str, label: str, period: cdk.Duration = MINUTE
    ) -> cloudwatch.Metric:
        """One of Lambda's own, of all versions."""
        return cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name=metric,
            dimensions_map={"FunctionName": self.function},
            statistic=statistic,
            label=label,
            period=period,
        )

    def of_api(
        self, metric: str, label: str, period: cdk.Duration = MINUTE, *, statistic: str = "Sum"
    ) -> cloudwatch.Metric:
        """One of the API's, at its stage."""
        return cloudwatch.Metric(
            namespace="AWS/ApiGateway",
            metric_name=metric,
            dimensions_map=dict(self.api.dimensions),
            statistic=statistic,
            label=label,
            period=period,
        )

    def _search(self, metric: str, statistic: str, schema: tuple[str, ...], period: cdk.Duration) -> str:
        query = f'{{{",".join(schema)}}} MetricName="{metric}" FunctionName="{self.function}"'
        return f"SEARCH('{query}', '{statistic}', {period.to_seconds()})"


def _math(
    expression: str,
    label: str,
    using: Mapping[str, cloudwatch.IMetric] | None = None,
    *,
    period: cdk.Duration = MINUTE,
) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression=expression, using_metrics=dict(using or {}), label=label, period=period
    )


def combined(
    expression: str, label: str, period: cdk.Duration = MINUTE, **using: cloudwatch.IMetric
) -> cloudwatch.MathExpression:
    """``expression`` over metrics by their name in it."""
    return _math(expression, label, using, period=period)
