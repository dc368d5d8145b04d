"""AWS::ApiGateway::RestApi, and the account's settings."""

from typing import Any, ClassVar

from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words
from serinus.offline.services.cloudformation.resources.apigateway.patches import patches
from serinus.offline.services.cloudformation.resources.apigateway.rest_resource import RestResource


class RestApi(RestResource):
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

    def defaults(self, request: Request) -> dict[str, Any]:
        return {"name": request.name(64)} if "Name" not in request.properties else {}

    def made_attributes(self, request: Request, identity: str, found: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {"RestApiId": identity, "RootResourceId": found["rootResourceId"]}

    def patches(self, old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, str]]:
        had = old.pop("endpointConfiguration", {}).get("types") or ["EDGE"]
        wanted = new.pop("endpointConfiguration", {}).get("types") or ["EDGE"]
        found = patches(old, new)
        if had != wanted:
            path = f"/endpointConfiguration/types/{had[0]}"
            found.append({"op": "replace", "path": path, "value": wanted[0]})
        return found


class Account(ResourceType):
    """The one account's settings: deleting the resource leaves them as they are, as AWS does."""

    type = "AWS::ApiGateway::Account"
    modelled = words("CloudWatchRoleArn")
    attributes = words("Id")

    def create(self, request: Request) -> Made:
        name = request.name(128)
        self._put(request)
        return Made(name, {"Id": name})

    def update(self, request: Request) -> Made:
        self._put(request)
        return Made(request.identity, request.attributes)

    def _put(self, request: Request) -> None:
        role = request.properties.get("CloudWatchRoleArn", "")
        operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
        request.client("apigateway").update_account(patchOperations=[operation])

    def delete(self, request: Request) -> None:
        """The account's settings outlive the stack."""
