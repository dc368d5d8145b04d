"""Admits requests: API key, then the usage plan's throttles and quota, then the stage's throttle.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
"""

from collections import Counter

from serinus.offline.core.ports import CloudContext
from serinus.offline.http.errors import invalid_api_key, quota_exceeded, throttled
from serinus.offline.http.limits import Limit, Throttles
from serinus.offline.services.apigateway.serving.exchange import RestExchange
from serinus.offline.services.apigateway.store import Client
from serinus.offline.services.apigateway.usage import UsageLedger

#: Of so many requests over a plan's limits, one passes where plans are applied on a best-effort basis.
ONE_PASSES_OF = 5


class BestEffort:
    """Lets some of each key's requests over a plan's limits pass, or none.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
    """

    def __init__(self, context: CloudContext) -> None:
        self._context = context
        self._over: Counter[str] = Counter()

    def lets_pass(self, key_id: str) -> bool:
        """Whether a request of this key over a limit passes."""
        if self._context.config.readings.usage_plans == "exact":
            return False
        self._over[key_id] += 1
        return self._over[key_id] % ONE_PASSES_OF == 0


def admit(exchange: RestExchange, throttles: Throttles, usage: UsageLedger, best_effort: BestEffort) -> None:
    """Admit the exchange's request, or raise the `GatewayError` that AWS returns."""
    route, stage = exchange.route, exchange.stage
    assert route is not None
    if route.api_key_required:
        client = stage.clients.get(exchange.request.header("x-api-key") or "")
        if client is None:
            raise invalid_api_key()
        exchange.client = client
        admit_client(exchange, client, throttles, best_effort)
    if route.throttle is not None and not throttles.allow(
        ("stage", stage.api_id, stage.name, route.resource_path, route.http_method), route.throttle
    ):
        raise throttled()
    if exchange.client is not None:
        plan, key_id = exchange.client.plan, exchange.client.key["id"]
        if not usage.take(plan, key_id, exchange.cloud_time) and not best_effort.lets_pass(key_id):
            raise quota_exceeded()


def admit_client(exchange: RestExchange, client: Client, throttles: Throttles, best_effort: BestEffort) -> None:
    route, stage = exchange.route, exchange.stage
    assert route is not None
    method = f"{route.resource_path}/{route.http_method}"
    by_method = Limit.of_plan((client.plan_stage.get("throttle") or {}).get(method))
    key_id, plan_id = client.key["id"], client.plan["id"]
    overall = Limit.of_plan(client.plan.get("throttle"))
    for bucket, limit in (
        (("method", plan_id, key_id, stage.api_id, stage.name, method), by_method),
        (("plan", plan_id, key_id), overall),
    ):
        if limit is not None and not throttles.allow(bucket, limit) and not best_effort.lets_pass(key_id):
            raise throttled()
