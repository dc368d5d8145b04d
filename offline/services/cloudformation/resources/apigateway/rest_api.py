"""AWS::ApiGateway::RestApi, and the account's settings."""

from typing import Any, ClassVar

from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words
from serinus.offline.services.cloudformation.resources.apigateway.patches import patches
from serinus.offline.services.cloudformation.resources.apigateway.rest_resource import RestResource


class ApiGatewayRestApi(RestResource):
    type = "AWS::ApiGateway::RestApi"
    noun = "RestApi"
    modelled = words(
        "ApiKeySourceType BinaryMediaTypes Description DisableExecuteApiEndpoint EndpointConfiguration "
        "EndpointAccessMode MinimumCompressionSize Name Policy SecurityPolicy Tags Version"
    )
    attributes = words("RestApiId RootResourceId")
    renamed: ClassVar = {"ApiKeySourceType": "ApiKeySource"}
    id_parameter = "restApiId"
    parents = ()
    taggable = True

    def defaults(self, request: ResourceRequest) -> dict[str, Any]:
        return {"name": request.name(64)} if "Name" not in request.properties else {}

    def attributes_of(self, request: ResourceRequest, identity: str, response: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {"RestApiId": identity, "RootResourceId": response["rootResourceId"]}

    def patches(self, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, str]]:
        had = old.pop("endpointConfiguration", {}).get("types") or ["EDGE"]
        endpoint_types = new.pop("endpointConfiguration", {}).get("types") or ["EDGE"]
        response = patches(old, new)
        if had != endpoint_types:
            path = f"/endpointConfiguration/types/{had[0]}"
            response.append({"op": "replace", "path": path, "value": endpoint_types[0]})
        return response


class Account(ResourceType):
    """The account's settings: deleting the resource leaves them as they are, as on AWS."""

    type = "AWS::ApiGateway::Account"
    modelled = words("CloudWatchRoleArn")
    attributes = words("Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        name = request.name(128)
        self._put(request)
        return ResourceState(name, {"Id": name})

    def update(self, request: ResourceRequest) -> ResourceState:
        self._put(request)
        return ResourceState(request.identity, request.attributes)

    def _put(self, request: ResourceRequest) -> None:
        role = request.properties.get("CloudWatchRoleArn", "")
        operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
        request.client("apigateway").update_account(patchOperations=[operation])

    def delete(self, request: ResourceRequest) -> None:
        """The account's settings outlive the stack."""
