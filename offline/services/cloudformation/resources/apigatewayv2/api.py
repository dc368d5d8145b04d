"""AWS::ApiGatewayV2::Api, Stage and Deployment."""

from typing import Any

from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, words
from serinus.offline.services.cloudformation.resources.apigatewayv2.http_resource import HttpResource


class Api(HttpResource):
    type = "AWS::ApiGatewayV2::Api"
    noun = "Api"
    modelled = words(
        "ApiKeySelectionExpression CorsConfiguration Description DisableExecuteApiEndpoint IpAddressType Name "
        "ProtocolType RouteSelectionExpression Tags Version"
    )
    attributes = words("ApiId ApiEndpoint ExecuteApiArn")
    id_member = "ApiId"
    parents = ()
    taggable = True

    def attributes_of(self, request: ResourceRequest, identity: str, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "ApiId": identity,
            "ApiEndpoint": response["ApiEndpoint"],
            "ExecuteApiArn": request.arn("execute-api", identity),
        }

    def update(self, request: ResourceRequest) -> ResourceState:
        state = super().update(request)
        if "CorsConfiguration" in (request.previous or {}) and "CorsConfiguration" not in request.properties:
            request.client("apigatewayv2").delete_cors_configuration(ApiId=request.identity)
        return state

    def arn_path(self, request: ResourceRequest) -> str:
        return f"/apis/{request.identity}"


class ApiGatewayV2Stage(HttpResource):
    type = "AWS::ApiGatewayV2::Stage"
    noun = "Stage"
    modelled = words(
        "AccessLogSettings ApiId AutoDeploy DefaultRouteSettings DeploymentId Description RouteSettings StageName "
        "StageVariables Tags"
    )
    id_member = "StageName"
    taggable = True

    def arn_path(self, request: ResourceRequest) -> str:
        return f"/apis/{request.properties['ApiId']}/stages/{request.identity}"


class ApiGatewayV2Deployment(HttpResource):
    type = "AWS::ApiGatewayV2::Deployment"
    noun = "Deployment"
    modelled = words("ApiId Description StageName")
    attributes = words("DeploymentId")
    id_member = "DeploymentId"
    id_attribute = "DeploymentId"
    fixed = words("StageName")
