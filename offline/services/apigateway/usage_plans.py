"""Usage plans: which keys may call which stages, how fast and how often."""

from datetime import date
from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, conflict, new_id
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, page, pick_members
from serinus.offline.services.apigateway.patching import apply_patch, segments
from serinus.offline.services.apigateway.plan_stages import patch_plan_stages
from serinus.offline.services.apigateway.store import RestApiStore, UsagePlan, not_found

MUTABLE = frozenset({"name", "description", "throttle", "quota", "productCode"})
PERIODS = ("DAY", "WEEK", "MONTH")
LONGEST_REPORT_DAYS = 90


class UsagePlanOperations(ApiGatewayBase):
    async def create_usage_plan(self, call: Call) -> Document:
        store = self.store(call)
        plan: Document = {"id": new_id(6), "apiStages": [], "tags": {}} | pick_members(
            call.params, "name", "description", "apiStages", "throttle", "quota", "tags"
        )
        check_plan(store, plan)
        store.plans[plan["id"]] = UsagePlan(plan)
        return answered(plan)

    async def get_usage_plan(self, call: Call) -> Document:
        return answered(self.plan_of(call).document)

    async def get_usage_plans(self, call: Call) -> Document:
        key_id = call.params.get("keyId")
        plans = self.store(call).plans.values()
        return page(
            call, [answered(listed.document) for listed in plans if key_id is None or key_id in listed.key_ids]
        )

    async def update_usage_plan(self, call: Call) -> Document:
        plan = self.plan_of(call)
        changed = answered(plan.document)
        shape: Any = self.model.shape_for("UsagePlan")
        for operation in call.params.get("patchOperations", []):
            if segments(operation["path"])[0] == "apiStages":
                patch_plan_stages(changed["apiStages"], operation)
            else:
                apply_patch(changed, [operation], shape, MUTABLE)
        check_plan(self.store(call), changed)
        plan.document.clear()
        plan.document.update(changed)
        return answered(changed)

    async def delete_usage_plan(self, call: Call) -> Document:
        plan = self.plan_of(call)
        if plan.document["apiStages"]:
            raise bad_request(
                f"Cannot delete usage plan '{plan.document['id']}' because it is associated with API stages: "
                "remove them from the plan first"
            )
        del self.store(call).plans[plan.document["id"]]
        return {}

    async def create_usage_plan_key(self, call: Call) -> Document:
        store = self.store(call)
        plan = self.plan_of(call)
        if call.params["keyType"] != "API_KEY":
            raise bad_request(f"Usage plan key type must be API_KEY (got {call.params['keyType']})")
        key = store.key(call.params["keyId"])
        check_joins(store, plan, key["id"])
        plan.key_ids.append(key["id"])
        return plan_key(key)

    async def get_usage_plan_key(self, call: Call) -> Document:
        return plan_key(self.key_in_plan(call))

    async def get_usage_plan_keys(self, call: Call) -> Document:
        keys = [self.store(call).key(key_id) for key_id in self.plan_of(call).key_ids]
        named = call.params.get("nameQuery") or ""
        return page(call, [plan_key(key) for key in keys if key.get("name", "").startswith(named)])

    async def delete_usage_plan_key(self, call: Call) -> Document:
        key = self.key_in_plan(call)
        self.plan_of(call).key_ids.remove(key["id"])
        return {}

    async def get_usage(self, call: Call) -> Document:
        plan = self.plan_of(call)
        first, last = report_days(call)
        key_ids = [call.params["keyId"]] if call.params.get("keyId") else plan.key_ids
        usage = self.store(call).usage
        return {
            "usagePlanId": plan.document["id"],
            "startDate": first.isoformat(),
            "endDate": last.isoformat(),
            "items": {key_id: usage.report(plan.document, key_id, first, last) for key_id in key_ids},
        }

    def plan_of(self, call: Call) -> UsagePlan:
        return self.store(call).plan(call.params["usagePlanId"])

    def key_in_plan(self, call: Call) -> Document:
        if call.params["keyId"] not in self.plan_of(call).key_ids:
            raise not_found("Usage Plan Key")
        return self.store(call).key(call.params["keyId"])


def plan_key(key: Document) -> Document:
    return answered({"id": key["id"], "type": "API_KEY", "value": key["value"], "name": key.get("name")})


def report_days(call: Call) -> tuple[date, date]:
    try:
        first = date.fromisoformat(call.params["startDate"])
        last = date.fromisoformat(call.params["endDate"])
    except ValueError as error:
        raise bad_request(f"Usage dates must be in the format yyyy-mm-dd: {error}") from error
    if not 0 <= (last - first).days <= LONGEST_REPORT_DAYS:
        raise bad_request(f"Usage is reported for 1 to {LONGEST_REPORT_DAYS} days (got {first} to {last})")
    return first, last


def check_plan(store: RestApiStore, plan: Document) -> None:
    """Raise BadRequestException for a plan without a name, with a bad quota or an unknown stage."""
    if not plan.get("name"):
        raise bad_request("Usage plan name must not be blank")
    quota = plan.get("quota")
    if quota is not None and (quota.get("period") not in PERIODS or int(quota.get("limit", 0)) < 1):
        raise bad_request(f"A quota needs a limit of 1 or more and a period among {PERIODS} (got {quota})")
    throttle = plan.get("throttle") or {}
    if throttle.get("burstLimit", 0) < 0 or throttle.get("rateLimit", 0) < 0:
        raise bad_request(f"Usage plan throttle limits must not be negative (got {throttle})")
    for entry in plan["apiStages"]:
        api = store.apis.get(entry["apiId"])
        if api is None or entry["stage"] not in api.stages:
            raise bad_request(f"API Stage not found: {entry['apiId']}:{entry['stage']}")


def check_joins(store: RestApiStore, plan: UsagePlan, key_id: str) -> None:
    """Raise ConflictException if the key is already in the plan, or has access to one of its stages by another."""
    if key_id in plan.key_ids:
        raise conflict(f"Usage Plan {plan.document['id']} cannot be used with key {key_id}: already a subscriber")
    for other in store.plans.values():
        for entry in other.document["apiStages"]:
            if key_id in other.key_ids and plan.covers(entry["apiId"], entry["stage"]):
                raise conflict(
                    f"API Key {key_id} is already subscribed to API stage {entry['apiId']}:{entry['stage']} "
                    f"through usage plan {other.document['id']}"
                )
