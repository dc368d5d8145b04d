"""Deployments: immutable snapshots of an API that stages serve."""

from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, new_id
from serinus.offline.services.apigateway.operations import (
    ApiGatewayBase,
    answered,
    page,
    pick_members,
    refuse,
    replace,
)
from serinus.offline.services.apigateway.patching import apply_patch
from serinus.offline.services.apigateway.stages import check_stage, new_stage
from serinus.offline.services.apigateway.store import Definition, RestApi, RestDeployment, not_found

UNMODELLED = {"canarySettings": "canary releases of a stage", "cacheClusterEnabled": "caching"}


class RestDeploymentOperations(ApiGatewayBase):
    async def create_deployment(self, call: Call) -> Document:
        refuse(call.params, UNMODELLED)
        api = self.api(call)
        check_deployable(api.definition)
        document = {"id": new_id(6), "createdDate": self.context.clock.now()} | pick_members(
            call.params, "description"
        )
        deployment = RestDeployment(document, api.definition.snapshot())
        if call.params.get("stageName"):
            self._point_stage(call, api, deployment)
        api.deployments[str(document["id"])] = deployment
        return answered(document)

    def _point_stage(self, call: Call, api: RestApi, deployment: RestDeployment) -> None:
        name = call.params["stageName"]
        now = self.context.clock.now()
        stage = api.stages.get(name) or new_stage(name, now)
        changed = answered(stage) | pick_members(call.params, "variables", "tracingEnabled")
        changed |= {"deploymentId": deployment.document["id"], "lastUpdatedDate": now}
        if call.params.get("stageDescription"):
            changed["description"] = call.params["stageDescription"]
        check_stage(changed)
        api.stages[name] = changed

    async def get_deployment(self, call: Call) -> Document:
        deployment = self.deployment_of(call)
        if "apisummary" in (call.params.get("embed") or []):
            return answered(deployment.document, apiSummary=summary(deployment.definition))
        return answered(deployment.document)

    async def get_deployments(self, call: Call) -> Document:
        return page(call, [answered(listed.document) for listed in self.api(call).deployments.values()])

    async def update_deployment(self, call: Call) -> Document:
        document = self.deployment_of(call).document
        shape: Any = self.model.shape_for("Deployment")
        changed = answered(document)
        apply_patch(changed, call.params.get("patchOperations", []), shape, frozenset({"description"}))
        return replace(document, changed)

    async def delete_deployment(self, call: Call) -> Document:
        self.deployment_of(call)
        api = self.api(call)
        deployment_id = call.params["deploymentId"]
        if any(stage["deploymentId"] == deployment_id for stage in api.stages.values()):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")
        del api.deployments[deployment_id]
        return {}

    def deployment_of(self, call: Call) -> RestDeployment:
        try:
            return self.api(call).deployments[call.params["deploymentId"]]
        except KeyError:
            raise not_found("Deployment") from None


def check_deployable(definition: Definition) -> None:
    """Raise BadRequestException unless there is a method, and every method has an integration."""
    methods = [method for resource in definition.resources.values() for method in resource.methods.values()]
    if not methods:
        raise bad_request("The REST API doesn't contain any methods")
    if any("methodIntegration" not in method for method in methods):
        raise bad_request("No integration defined for method")


def summary(definition: Definition) -> Document:
    return {
        resource.path: {
            name: {
                "authorizationType": method.get("authorizationType", "NONE"),
                "apiKeyRequired": method["apiKeyRequired"],
            }
            for name, method in resource.methods.items()
        }
        for resource in definition.resources.values()
        if resource.methods
    }
