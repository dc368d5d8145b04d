"""The AWS/ApiGateway metrics of an HTTP API's request.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
"""

from serinus.offline.services.apigateway.serving.metrics import NAMESPACE, MetricSink
from serinus.offline.services.apigatewayv2.serving.exchange import HttpExchange


def record(exchange: HttpExchange, sink: MetricSink) -> None:
    """Count the request by API, by API and stage, and by route where the stage has detailed metrics."""
    stage, route = exchange.stage, exchange.route
    by_stage = {"ApiId": stage.api_id, "Stage": stage.name}
    dimension_sets = [{"ApiId": stage.api_id}, by_stage]
    if route is not None and route.detailed_metrics:
        dimension_sets.append({**by_stage, "Method": exchange.request.method, "Resource": route.path})
    for dimensions in dimension_sets:
        for name, value, unit in measured(exchange):
            sink.record(stage.region, NAMESPACE, name, dimensions, value, unit=unit, at=exchange.cloud_time)


def measured(exchange: HttpExchange) -> list[tuple[str, float, str]]:
    values = [
        ("Count", 1.0, "Count"),
        ("4xx", float(400 <= exchange.status < 500), "Count"),
        ("5xx", float(exchange.status >= 500), "Count"),
        ("Latency", float(round(exchange.latency_ms)), "Milliseconds"),
        ("DataProcessed", float(len(exchange.request.body) + exchange.response_length), "Bytes"),
    ]
    if exchange.integration_latency_ms is not None:
        values.append(("IntegrationLatency", float(round(exchange.integration_latency_ms)), "Milliseconds"))
    return values
