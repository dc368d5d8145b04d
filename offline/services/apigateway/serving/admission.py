"""Admits requests: API key, then the usage plan's throttles and quota, then the stage's throttle.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from serinus.offline.http.errors import invalid_api_key, quota_exceeded, throttled
from serinus.offline.http.limits import Limit, Throttles
from serinus.offline.services.apigateway.serving.exchange import RestExchange
from serinus.offline.services.apigateway.store import Client
from serinus.offline.services.apigateway.usage import UsageLedger


def admit(exchange: RestExchange, throttles: Throttles, usage: UsageLedger) -> None:
    """Admit the exchange's request, or raise the `GatewayError` that AWS returns."""
    route, stage = exchange.route, exchange.stage
    assert route is not None
    if route.api_key_required:
        client = stage.clients.get(exchange.request.header("x-api-key") or "")
        if client is None:
            raise invalid_api_key()
        exchange.client = client
        admit_client(exchange, client, throttles)
    if route.throttle is not None and not throttles.allow(
        ("stage", stage.api_id, stage.name, route.resource_path, route.http_method), route.throttle
    ):
        raise throttled()
    if exchange.client is not None and not usage.take(
        exchange.client.plan, exchange.client.key["id"], exchange.cloud_time
    ):
        raise quota_exceeded()


def admit_client(exchange: RestExchange, client: Client, throttles: Throttles) -> None:
    route, stage = exchange.route, exchange.stage
    assert route is not None
    method = f"{route.resource_path}/{route.http_method}"
    by_method = Limit.of_plan((client.plan_stage.get("throttle") or {}).get(method))
    key_id, plan_id = client.key["id"], client.plan["id"]
    if by_method is not None and not throttles.allow(
        ("method", plan_id, key_id, stage.api_id, stage.name, method), by_method
    ):
        raise throttled()
    overall = Limit.of_plan(client.plan.get("throttle"))
    if overall is not None and not throttles.allow(("plan", plan_id, key_id), overall):
        raise throttled()
