"""The AWS/ApiGateway metrics of a request.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

from typing import Protocol

from serinus.offline.services.apigateway.serving.exchange import Exchange

NAMESPACE = "AWS/ApiGateway"


class MetricSink(Protocol):
    """The CloudWatch service as the gateway uses it."""

    def record(
        self,
        region: str,
        namespace: str,
        name: str,
        dimensions: dict[str, str],
        value: float,
        *,
        unit: str = "None",
        at: float | None = None,
        count: int = 1,
    ) -> None: ...


def record(exchange: Exchange, sink: MetricSink) -> None:
    """Count the request by API, by API and stage, and by method where the stage has detailed metrics."""
    stage, route = exchange.stage, exchange.route
    dimension_sets = [{"ApiName": stage.api_name}, {"ApiName": stage.api_name, "Stage": stage.name}]
    if route is not None and route.detailed_metrics:
        dimension_sets.append(
            {
                "ApiName": stage.api_name,
                "Stage": stage.name,
                "Resource": route.resource_path,
                "Method": exchange.request.method,
            }
        )
    for dimensions in dimension_sets:
        for name, value, unit in measured(exchange):
            sink.record(stage.region, NAMESPACE, name, dimensions, value, unit=unit, at=exchange.cloud_time)


def measured(exchange: Exchange) -> list[tuple[str, float, str]]:
    values = [
        ("Count", 1.0, "Count"),
        ("4XXError", float(400 <= exchange.status < 500), "Count"),
        ("5XXError", float(exchange.status >= 500), "Count"),
        ("Latency", float(round(exchange.latency_ms)), "Milliseconds"),
    ]
    if exchange.integration_latency_ms is not None:
        values.append(("IntegrationLatency", float(round(exchange.integration_latency_ms)), "Milliseconds"))
    return values
