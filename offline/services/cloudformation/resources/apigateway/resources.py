"""AWS::ApiGateway::Resource, RequestValidator, Model, Authorizer, GatewayResponse: the parts of an API."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import members, missing_ok
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words
from serinus.offline.services.cloudformation.resources.apigateway.rest_resource import RestResource


class ApiGatewayResource(RestResource):
    type = "AWS::ApiGateway::Resource"
    noun = "Resource"
    modelled = words("ParentId PathPart RestApiId")
    attributes = words("ResourceId")
    id_parameter = "resourceId"
    id_attribute = "ResourceId"


class RequestValidator(RestResource):
    type = "AWS::ApiGateway::RequestValidator"
    noun = "RequestValidator"
    modelled = words("Name RestApiId ValidateRequestBody ValidateRequestParameters")
    attributes = words("RequestValidatorId")
    id_parameter = "requestValidatorId"
    id_attribute = "RequestValidatorId"


class Model(RestResource):
    type = "AWS::ApiGateway::Model"
    noun = "Model"
    modelled = words("ContentType Description Name RestApiId Schema")
    id_member = "name"
    id_parameter = "modelName"
    fixed = words("name contentType")

    def defaults(self, request: ResourceRequest) -> dict[str, Any]:
        name = request.name(128).replace("-", "")
        return {"name": name, "contentType": "application/json", "schema": "{}"}


class ApiGatewayAuthorizer(RestResource):
    type = "AWS::ApiGateway::Authorizer"
    noun = "Authorizer"
    modelled = words(
        "AuthType AuthorizerCredentials AuthorizerResultTtlInSeconds AuthorizerUri IdentitySource "
        "IdentityValidationExpression Name ProviderARNs RestApiId Type"
    )
    attributes = words("AuthorizerId")
    id_parameter = "authorizerId"
    id_attribute = "AuthorizerId"


class GatewayResponse(ResourceType):
    type = "AWS::ApiGateway::GatewayResponse"
    modelled = words("ResponseParameters ResponseTemplates ResponseType RestApiId StatusCode")
    attributes = words("Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        self._put(request)
        name = request.name(128)
        return ResourceState(name, {"Id": name})

    def update(self, request: ResourceRequest) -> ResourceState:
        self._put(request)
        return ResourceState(request.identity, request.attributes)

    def _put(self, request: ResourceRequest) -> None:
        client = request.client("apigateway")
        client.put_gateway_response(**members(client, "PutGatewayResponse", request.properties))

    def delete(self, request: ResourceRequest) -> None:
        api, kind = request.properties["RestApiId"], request.properties["ResponseType"]
        client = request.client("apigateway")
        with missing_ok("NotFoundException"):
            client.delete_gateway_response(restApiId=api, responseType=kind)
