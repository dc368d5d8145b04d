"""AWS::ApiGateway::ApiKey, UsagePlan, UsagePlanKey: callers and their limits."""

from typing import Any, ClassVar

from serinus.offline.services.cloudformation.adapter import missing_ok
from serinus.offline.services.cloudformation.intrinsics import as_text
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words
from serinus.offline.services.cloudformation.resources.apigateway.patches import escape, patches
from serinus.offline.services.cloudformation.resources.apigateway.rest_resource import RestResource


class ApiKey(RestResource):
    type = "AWS::ApiGateway::ApiKey"
    noun = "ApiKey"
    modelled = words("CustomerId Description Enabled GenerateDistinctId Name StageKeys Tags Value")
    attributes = words("APIKeyId")
    id_parameter = "apiKey"
    id_attribute = "APIKeyId"
    parents = ()
    fixed = words("value generateDistinctId")
    taggable = True

    def defaults(self, request: ResourceRequest) -> dict[str, Any]:
        return {"name": request.name(128), "enabled": False}

    def arn_path(self, request: ResourceRequest) -> str:
        return f"/apikeys/{request.identity}"


class ApiGatewayUsagePlan(RestResource):
    type = "AWS::ApiGateway::UsagePlan"
    noun = "UsagePlan"
    modelled = words("ApiStages Description Quota Tags Throttle UsagePlanName")
    attributes = words("Id")
    renamed: ClassVar = {"UsagePlanName": "Name"}
    id_parameter = "usagePlanId"
    id_attribute = "Id"
    parents = ()
    taggable = True

    def defaults(self, request: ResourceRequest) -> dict[str, Any]:
        return {"name": request.name(128)}

    def patches(self, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, str]]:
        had, desired = _stages(old.pop("apiStages", [])), _stages(new.pop("apiStages", []))
        operations = patches(old, new)
        operations += [
            {"op": "remove", "path": "/apiStages", "value": name} for name in had if name not in desired
        ]
        for name, throttles in desired.items():
            if name not in had:
                operations.append({"op": "add", "path": "/apiStages", "value": name})
            operations += _throttle_patches(name, had.get(name, {}), throttles)
        return operations

    def delete(self, request: ResourceRequest) -> None:
        # A plan must not have stages when it is deleted.
        client = request.client("apigateway")
        for name in _stages_of(request):
            operation = {"op": "remove", "path": "/apiStages", "value": name}
            with missing_ok("NotFoundException", "BadRequestException"):
                client.update_usage_plan(usagePlanId=request.identity, patchOperations=[operation])
        super().delete(request)

    def arn_path(self, request: ResourceRequest) -> str:
        return f"/usageplans/{request.identity}"


def _stages_of(request: ResourceRequest) -> list[str]:
    return [f"{item['ApiId']}:{item['Stage']}" for item in request.properties.get("ApiStages") or ()]


def _stages(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{item['apiId']}:{item['stage']}": item.get("throttle") or {} for item in items}


def _throttle_patches(stage: str, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, str]]:
    operations = [
        {"op": "remove", "path": f"/apiStages/{stage}/throttle/{escape(method)}"}
        for method in old
        if method not in new
    ]
    for method, limits in new.items():
        for name, value in limits.items():
            if old.get(method, {}).get(name) != value:
                path = f"/apiStages/{stage}/throttle/{escape(method)}/{name}"
                operations.append({"op": "replace", "path": path, "value": as_text(value)})
    return operations


class UsagePlanKey(ResourceType):
    type = "AWS::ApiGateway::UsagePlanKey"
    modelled = words("KeyId KeyType UsagePlanId")
    attributes = words("Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        desired = request.properties
        request.client("apigateway").create_usage_plan_key(
            usagePlanId=desired["UsagePlanId"], keyId=desired["KeyId"], keyType=desired["KeyType"]
        )
        identity = f"{desired['KeyId']}:{desired['UsagePlanId']}"
        return ResourceState(identity, {"Id": identity})

    def update(self, request: ResourceRequest) -> ResourceState:
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        key, plan = request.identity.split(":")
        client = request.client("apigateway")
        with missing_ok("NotFoundException"):
            client.delete_usage_plan_key(usagePlanId=plan, keyId=key)
