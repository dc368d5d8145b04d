"""Stages: names under which a deployment is served, with throttles and access logs; URLs omit $default."""

import re
from typing import Any

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.service import Call
from serinus.offline.http.access_log import log_group_of
from serinus.offline.http.api_documents import VARIABLE_VALUE, Document, bad_request, conflict
from serinus.offline.services.apigatewayv2.domain_names import HttpDomainNameOperations
from serinus.offline.services.apigatewayv2.operations import (
    answered,
    changed,
    find_part,
    page,
    pick_members,
    refuse,
    replace,
)
from serinus.offline.services.apigatewayv2.store import HttpApi

NAME = re.compile(r"^(\$default|[a-zA-Z0-9_-]{1,128})$")
SETTABLE = (
    "AccessLogSettings",
    "AutoDeploy",
    "DefaultRouteSettings",
    "DeploymentId",
    "Description",
    "RouteSettings",
    "StageVariables",
)
UNMODELLED = {"ClientCertificateId": "client certificates"}
WEBSOCKET_ONLY = ("DataTraceEnabled", "LoggingLevel")


class HttpStageOperations(HttpDomainNameOperations):
    async def create_stage(self, call: Call) -> Document:
        api = self.api(call)
        refuse(call.params, UNMODELLED)
        name = call.params["StageName"]
        if name in api.stages:
            raise conflict("Stage already exists")
        now = self.context.clock.now()
        stage: Document = {
            "StageName": name,
            "AutoDeploy": False,
            "CreatedDate": now,
            "LastUpdatedDate": now,
            "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
            "RouteSettings": {},
            "StageVariables": {},
            "Tags": {},
        } | pick_members(call.params, (*SETTABLE, "Tags"))
        check_stage(api, stage)
        api.stages[name] = stage
        self.deployed(api)
        return answered(stage)

    async def get_stage(self, call: Call) -> Document:
        return answered(self.stage_of(call))

    async def get_stages(self, call: Call) -> Document:
        return page(call, self.api(call).stages.values())

    async def update_stage(self, call: Call) -> Document:
        refuse(call.params, UNMODELLED)
        api, stage = self.api(call), self.stage_of(call)
        new = changed(stage, call.params, SETTABLE) | {"LastUpdatedDate": self.context.clock.now()}
        if "DeploymentId" in call.params and stage["AutoDeploy"] and new["AutoDeploy"]:
            raise bad_request("Deployment ID cannot be set on a stage with automatic deployments")
        check_stage(api, new)
        replace(stage, new)
        self.deployed(api)
        return answered(stage)

    async def delete_route_settings(self, call: Call) -> Document:
        find_part(self.stage_of(call)["RouteSettings"], "RouteSettings", call.params["RouteKey"])
        del self.stage_of(call)["RouteSettings"][call.params["RouteKey"]]
        return {}

    async def delete_access_log_settings(self, call: Call) -> Document:
        self.stage_of(call).pop("AccessLogSettings", None)
        return {}

    async def delete_stage(self, call: Call) -> Document:
        api = self.api(call)
        name = self.stage_of(call)["StageName"]
        self.check_unmapped(call, name)
        del api.stages[name]
        api.forget_unused()
        return {}

    def stage_of(self, call: Call) -> Document:
        return find_part(self.api(call).stages, "Stage", call.params["StageName"])


def check_stage(api: HttpApi, stage: Document) -> None:
    """Raise for a name, deployment, setting or log destination that AWS rejects or this cloud does not model."""
    if not NAME.match(stage["StageName"]):
        raise bad_request("Stage name only allows a-zA-Z0-9_- and at most 128 characters, or $default")
    deployment = stage.get("DeploymentId")
    if deployment is not None and deployment not in api.deployments:
        raise bad_request(f"Deployment ID does not exist: {deployment}")
    for name, value in (stage.get("StageVariables") or {}).items():
        if not VARIABLE_VALUE.match(value):
            raise bad_request(
                f"Stage variable '{name}' has value '{value}'; only A-Za-z0-9-._~:/?#&=, are allowed"
            )
    for key, settings in [("DefaultRouteSettings", stage.get("DefaultRouteSettings")), *route_settings(stage)]:
        check_settings(key, settings or {})
    check_log(stage.get("AccessLogSettings") or {})
    keys = {route["RouteKey"] for route in api.routes.values()}
    for key, _ in route_settings(stage):
        if key not in keys:
            raise AwsError(
                "NotFoundException", f"Unable to find Route by key {key} within the provided RouteSettings"
            )


def route_settings(stage: Document) -> list[tuple[str, Any]]:
    return list((stage.get("RouteSettings") or {}).items())


def check_settings(key: str, settings: Document) -> None:
    for name in WEBSOCKET_ONLY:
        if settings.get(name) not in (None, False, "OFF"):
            raise bad_request(f"{name} is only supported for WebSocket APIs ({key})")
    for name in ("ThrottlingBurstLimit", "ThrottlingRateLimit"):
        if (settings.get(name) or 0) < 0:
            raise bad_request(f"{name} of {key} must not be negative (got {settings[name]})")


def check_log(settings: Document) -> None:
    arn = settings.get("DestinationArn")
    if arn and ":firehose:" in arn:
        raise NotModelled("apigatewayv2: access logs to Firehose", "Use a CloudWatch Logs group.")
    if arn and log_group_of(arn) is None:
        raise bad_request(f"Invalid ARN specified in the request: {arn}. ARN format is a log group's")
