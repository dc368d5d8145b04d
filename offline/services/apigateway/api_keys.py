"""API keys: the values that clients send in x-api-key."""

import secrets
import string
from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, conflict, new_id
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, page, pick_members, replace
from serinus.offline.services.apigateway.patching import apply_patch
from serinus.offline.services.apigateway.store import RestApiStore

SHORTEST_VALUE, LONGEST_VALUE = 20, 128
GENERATED_LENGTH = 40
MUTABLE = frozenset({"name", "description", "enabled", "customerId"})


class ApiKeyOperations(ApiGatewayBase):
    async def create_api_key(self, call: Call) -> Document:
        store = self.store(call)
        value = call.params.get("value") or generated_value()
        check_value(store, value)
        now = self.context.clock.now()
        key: Document = {
            "id": new_id(10),
            "value": value,
            "enabled": False,
            "createdDate": now,
            "lastUpdatedDate": now,
            "stageKeys": stage_keys(store, call.params.get("stageKeys") or []),
            "tags": {},
        } | pick_members(call.params, "name", "description", "enabled", "customerId", "tags")
        store.keys[key["id"]] = key
        return answered(key)

    async def get_api_key(self, call: Call) -> Document:
        return shown(self.store(call).key(call.params["apiKey"]), call.params.get("includeValue"))

    async def get_api_keys(self, call: Call) -> Document:
        named = call.params.get("nameQuery") or ""
        customer = call.params.get("customerId")
        keys = [
            shown(key, call.params.get("includeValues"))
            for key in self.store(call).keys.values()
            if key.get("name", "").startswith(named) and customer in (None, key.get("customerId"))
        ]
        return page(call, keys)

    async def update_api_key(self, call: Call) -> Document:
        key = self.store(call).key(call.params["apiKey"])
        shape: Any = self.model.shape_for("ApiKey")
        changed = answered(key)
        apply_patch(changed, call.params.get("patchOperations", []), shape, MUTABLE)
        replace(key, changed | {"lastUpdatedDate": self.context.clock.now()})
        return shown(key, with_value=False)

    async def delete_api_key(self, call: Call) -> Document:
        store = self.store(call)
        key = store.key(call.params["apiKey"])
        for plan in store.plans.values():
            plan.key_ids = [key_id for key_id in plan.key_ids if key_id != key["id"]]
        del store.keys[key["id"]]
        return {}


def stage_keys(store: RestApiStore, stages: list[Document]) -> list[str]:
    """The stages of a key, as AWS lists them: since usage plans, they grant no access by themselves."""
    for stage in stages:
        store.api(stage["restApiId"]).stage(stage["stageName"])
    return [f"{stage['restApiId']}/{stage['stageName']}" for stage in stages]


def shown(key: Document, with_value: bool | None) -> Document:
    return answered(key, value=key["value"] if with_value else None)


def generated_value() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(GENERATED_LENGTH))


def check_value(store: RestApiStore, value: str) -> None:
    if len(value) < SHORTEST_VALUE:
        raise bad_request(f"API Key value should be at least {SHORTEST_VALUE} characters (got {len(value)})")
    if len(value) > LONGEST_VALUE:
        raise bad_request(f"API Key value exceeds maximum size of {LONGEST_VALUE} characters (got {len(value)})")
    if any(key["value"] == value for key in store.keys.values()):
        raise conflict("API Key already exists")
