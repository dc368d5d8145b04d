"""The AWS/ApiGateway metrics of an HTTP API's request.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
"""

from serinus.offline.core.ports import MetricSink
from serinus.offline.http import api_metrics
from serinus.offline.services.apigatewayv2.serving.exchange import HttpExchange


def record(exchange: HttpExchange, sink: MetricSink) -> None:
    """Count the request by API, by API and stage, and by route if the stage has detailed metrics."""
    stage, route = exchange.stage, exchange.route
    by_stage = {"ApiId": stage.api_id, "Stage": stage.name}
    dimension_sets = [{"ApiId": stage.api_id}, by_stage]
    if route is not None and route.detailed_metrics:
        dimension_sets.append({**by_stage, "Method": exchange.request.method, "Resource": route.path})
    processed_bytes = float(len(exchange.request.body) + exchange.response_length)
    measurements = api_metrics.measurements_of(exchange, "4xx", "5xx")
    measurements.append(("DataProcessed", processed_bytes, "Bytes"))
    api_metrics.record(exchange, sink, dimension_sets, measurements)
