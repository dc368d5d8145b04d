"""The metrics of an endpoint as dashboards query them.

Synth does not know which versions are live, so metrics by version are searched for: whatever has data is shown.
The endpoint's own metrics have function and version as dimensions, Lambda's the function, API Gateway's API and
stage.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from serinus.infra.names import ALIAS
from serinus.infra.steady_alarm_plan import API_NAMESPACE
from serinus.lambda_handlers.contract import signals
from serinus.lambda_handlers.contract.findings import METRIC_FINDINGS

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
    """Metrics of ``function``, and of the API in front of it where its dimensions are known before it exists."""

    function: str
    api: ApiMetrics | None

    def calls(self, label: str, period: cdk.Duration = MINUTE) -> cloudwatch.Metric:
        """Calls of the API, else of the alias."""
        if self.api is None:
            return self.of_alias("Invocations", label, period)
        return self._of_api(self.api, "Count", label, period, "SampleCount")

    def failed_calls(self, label: str, period: cdk.Duration = MINUTE) -> cloudwatch.IMetric:
        """5xx responses of the API, else crashes, timeouts and throttles of the alias with handled errors."""
        if self.api is not None:
            return self._of_api(self.api, self.api.server_errors, label, period, "Sum")
        crashed, throttled = (self.of_alias(name, name, period) for name in ("Errors", "Throttles"))
        handled = f"SUM({self._search(signals.METRIC_ERRORS, 'Sum', OWN, period)})"
        # One graph may hold several endpoints, and an id stands for one metric there.
        suffix = self.function.replace("-", "_")
        total = f"SUM([FILL(crashed_{suffix}, 0), FILL(throttled_{suffix}, 0), {handled}])"
        using = {f"crashed_{suffix}": crashed, f"throttled_{suffix}": throttled}
        return _math(total, label, using, period=period)

    def rejected_calls(self, label: str, period: cdk.Duration = MINUTE) -> list[cloudwatch.IMetric]:
        """4xx responses of the API, if its metrics are known."""
        return [self._of_api(self.api, self.api.client_errors, label, period, "Sum")] if self.api else []

    def findings(self, label: str) -> cloudwatch.Metric:
        """How many findings the monitor reports, one value an hour."""
        return cloudwatch.Metric(
            namespace=signals.METRIC_NAMESPACE,
            metric_name=METRIC_FINDINGS,
            dimensions_map={signals.DIMENSION_FUNCTION: self.function},
            statistic="Maximum",
            period=HOUR,
            label=label,
        )

    def slowest(
        self, metric: str, statistic: str, label: str, period: cdk.Duration = MINUTE
    ) -> cloudwatch.MathExpression:
        """The version with the largest value."""
        return _math(f"MAX({self._search(metric, statistic, OWN, period)})", label, period=period)

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

    def of_alias(self, metric: str, label: str, period: cdk.Duration = MINUTE) -> cloudwatch.Metric:
        """One of Lambda's own, of alias `live` in all versions, summed."""
        return cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name=metric,
            dimensions_map={"FunctionName": self.function, "Resource": f"{self.function}:{ALIAS}"},
            statistic="Sum",
            label=label,
            period=period,
        )

    def _of_api(
        self, api: ApiMetrics, metric: str, label: str, period: cdk.Duration, statistic: str
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=API_NAMESPACE,
            metric_name=metric,
            dimensions_map=dict(api.dimensions),
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
