"""Stages: names under which a deployment is served, with variables, throttles and access logs."""

import re
from datetime import datetime
from typing import Any

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call
from serinus.offline.http.access_log import log_group_of
from serinus.offline.http.api_documents import VARIABLE_VALUE, Document, bad_request, conflict
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, pick_members, refuse
from serinus.offline.services.apigateway.patching import apply_patch
from serinus.offline.services.apigateway.settings_patch import is_method_setting, patch_method_setting
from serinus.offline.services.apigateway.store import stage_arn

NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
CREATABLE = ("deploymentId", "description", "variables", "tracingEnabled", "tags", "documentationVersion")
UNMODELLED = {
    "canarySettings": "canary releases of a stage",
    "cacheClusterEnabled": "caching",
    "clientCertificateId": "client certificates",
}
MUTABLE = frozenset(
    {
        "deploymentId",
        "description",
        "variables",
        "accessLogSettings",
        "tracingEnabled",
        "documentationVersion",
        "cacheClusterSize",
        *UNMODELLED,
    }
)


class RestStageOperations(ApiGatewayBase):
    async def create_stage(self, call: Call) -> Document:
        api = self.api(call)
        name = call.params["stageName"]
        if name in api.stages:
            raise conflict("Stage already exists")
        if call.params["deploymentId"] not in api.deployments:
            raise bad_request("Deployment id does not exist")
        stage = new_stage(name, self.context.clock.now()) | pick_members(call.params, *CREATABLE)
        refuse(call.params, UNMODELLED)
        check_stage(stage)
        api.stages[name] = stage
        return answered(stage)

    async def get_stage(self, call: Call) -> Document:
        stage = self.api(call).stage(call.params["stageName"])
        arn = stage_arn(call.region, call.params["restApiId"], stage["stageName"])
        return answered(stage, webAclArn=self._web_acls.acl_of(call.region, arn))

    async def get_stages(self, call: Call) -> Document:
        deployment_id = call.params.get("deploymentId")
        stages = self.api(call).stages.values()
        return {
            "item": [
                answered(stage_document)
                for stage_document in stages
                if deployment_id in (None, stage_document["deploymentId"])
            ],
        }

    async def update_stage(self, call: Call) -> Document:
        api = self.api(call)
        stage = api.stage(call.params["stageName"])
        changed = answered(stage)
        shape: Any = self.model.shape_for("Stage")
        for operation in call.params.get("patchOperations", []):
            if is_method_setting(operation["path"]):
                patch_method_setting(changed["methodSettings"], operation)
            else:
                apply_patch(changed, [operation], shape, MUTABLE)
        refuse(changed, UNMODELLED)
        check_stage(changed)
        if changed["deploymentId"] not in api.deployments:
            raise bad_request("Deployment id does not exist")
        changed["lastUpdatedDate"] = self.context.clock.now()
        stage.clear()
        stage.update(changed)
        return answered(stage)

    async def delete_stage(self, call: Call) -> Document:
        api = self.api(call)
        name = call.params["stageName"]
        api.stage(name)
        self.domains.check_unmapped(call.region, call.params["restApiId"], name)
        for plan in self.store(call).plans.values():
            if plan.covers(call.params["restApiId"], name):
                raise bad_request(
                    f"Stage {name} is in usage plan {plan.document['id']}: remove it from the plan first"
                )
        self.drop_associations(call, name)
        del api.stages[name]
        return {}


def new_stage(name: str, now: datetime) -> Document:
    return {
        "stageName": name,
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": False,
        "tags": {},
        "createdDate": now,
        "lastUpdatedDate": now,
    }


def check_stage(stage: Document) -> None:
    """Raise for a name, variable or log destination that AWS rejects or this cloud does not model."""
    if not NAME.match(stage["stageName"]):
        raise bad_request("Stage name only allows a-zA-Z0-9_- and at most 128 characters")
    for name, value in (stage.get("variables") or {}).items():
        if not VARIABLE_VALUE.match(value):
            raise bad_request(
                f"Stage variable '{name}' has value '{value}'; only A-Za-z0-9-._~:/?#&=, are allowed"
            )
    settings = stage.get("accessLogSettings") or {}
    arn = settings.get("destinationArn")
    if arn and ":firehose:" in arn:
        raise NotModelled("apigateway: access logs to Firehose", "Use a CloudWatch Logs group.")
    if arn and log_group_of(arn) is None:
        raise bad_request(f"Invalid ARN specified in the request: {arn}. ARN format is a log group's")
