"""AWS::ApiGateway::Deployment and Stage."""

from typing import Any

from serinus.offline.services.cloudformation.provider import ResourceRequest, words
from serinus.offline.services.cloudformation.resources.apigateway.patches import escape, patches
from serinus.offline.services.cloudformation.resources.apigateway.rest_resource import RestResource

#: Method settings by their patch path.
SETTINGS = {
    "CacheDataEncrypted": "caching/dataEncrypted",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CachingEnabled": "caching/enabled",
    "DataTraceEnabled": "logging/dataTrace",
    "LoggingLevel": "logging/loglevel",
    "MetricsEnabled": "metrics/enabled",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
}


class ApiGatewayDeployment(RestResource):
    type = "AWS::ApiGateway::Deployment"
    noun = "Deployment"
    modelled = words("Description RestApiId StageName")
    attributes = words("DeploymentId")
    id_parameter = "deploymentId"
    id_attribute = "DeploymentId"
    fixed = words("stageName")


class ApiGatewayStage(RestResource):
    type = "AWS::ApiGateway::Stage"
    noun = "Stage"
    modelled = words(
        "AccessLogSetting CacheClusterEnabled CacheClusterSize DeploymentId Description DocumentationVersion "
        "MethodSettings RestApiId StageName Tags TracingEnabled Variables"
    )
    id_member = "stageName"
    id_parameter = "stageName"
    fixed = words("stageName")
    taggable = True

    def api_parameters(self, request: ResourceRequest, verb: str, properties: dict[str, Any]) -> dict[str, Any]:
        apart = ("AccessLogSetting", "MethodSettings")
        return super().api_parameters(
            request, verb, {key: value for key, value in properties.items() if key not in apart}
        )

    def finish(self, request: ResourceRequest, identity: str) -> None:
        old, new = _settings(request.previous or {}), _settings(request.properties)
        operations = patches(old["log"], new["log"], "/accessLogSettings")
        operations += [
            {"op": "replace", "path": path, "value": value}
            for path, value in new["methods"].items()
            if old["methods"].get(path) != value
        ]
        operations += [{"op": "remove", "path": path} for path in old["methods"] if path not in new["methods"]]
        if operations:
            request.client("apigateway").update_stage(
                restApiId=request.properties["RestApiId"], stageName=identity, patchOperations=operations
            )

    def arn_path(self, request: ResourceRequest) -> str:
        return f"/restapis/{request.properties['RestApiId']}/stages/{request.identity}"


def _settings(properties: dict[str, Any]) -> dict[str, dict[str, str]]:
    log = properties.get("AccessLogSetting") or {}
    methods: dict[str, str] = {}
    for setting in properties.get("MethodSettings") or ():
        path = str(setting.get("ResourcePath", "/*"))
        where = "*" if path == "/*" else escape(path)
        for name, value in setting.items():
            if name in SETTINGS:
                text = str(value).lower() if isinstance(value, bool) else str(value)
                methods[f"/{where}/{setting.get('HttpMethod', '*')}/{SETTINGS[name]}"] = text
    return {"log": {key[0].lower() + key[1:]: value for key, value in log.items()}, "methods": methods}
