"""The AWS/ApiGateway metrics of a request.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
"""

from serinus.offline.core.ports import MetricSink
from serinus.offline.http import api_metrics
from serinus.offline.services.apigateway.serving.exchange import RestExchange


def record(exchange: RestExchange, sink: MetricSink) -> None:
    """Count the request by API, by API and stage, and by method if the stage has detailed metrics."""
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
    measurements = api_metrics.measurements_of(exchange, "4XXError", "5XXError")
    api_metrics.record(exchange, sink, dimension_sets, measurements)
