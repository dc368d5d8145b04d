"""AWS::ApiGateway::Method with its integration and responses."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import members, missing_ok
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words


class Method(ResourceType):
    type = "AWS::ApiGateway::Method"
    modelled = words(
        "ApiKeyRequired AuthorizationScopes AuthorizationType AuthorizerId HttpMethod Integration MethodResponses "
        "OperationName RequestModels RequestParameters RequestValidatorId ResourceId RestApiId"
    )

    def create(self, request: ResourceRequest) -> ResourceState:
        identifiers = _identifiers(request.properties)
        identity = "|".join(identifiers.values())
        self._put(request, identifiers)
        return ResourceState(identity)

    def update(self, request: ResourceRequest) -> ResourceState:
        # A deployment is a snapshot, so served stages are unaffected while the method is missing.
        identifiers = _identifiers(request.properties)
        request.client("apigateway").delete_method(**identifiers)
        self._put(request, identifiers)
        return ResourceState(request.identity)

    def delete(self, request: ResourceRequest) -> None:
        client, identifiers = request.client("apigateway"), _identifiers(request.properties)
        with missing_ok("NotFoundException"):
            client.delete_method(**identifiers)

    def _put(self, request: ResourceRequest, identifiers: dict[str, str]) -> None:
        client, desired = request.client("apigateway"), request.properties
        client.put_method(**{"authorizationType": "NONE", **members(client, "PutMethod", desired)})
        request.register_id("|".join(identifiers.values()))
        for response in desired.get("MethodResponses") or ():
            client.put_method_response(**identifiers, **members(client, "PutMethodResponse", response))
        integration = desired.get("Integration")
        if integration:
            self._put_integration(client, identifiers, integration)

    def _put_integration(self, client: Any, identifiers: dict[str, str], integration: dict[str, Any]) -> None:
        parameters = {
            "integrationHttpMethod" if key == "IntegrationHttpMethod" else key: value
            for key, value in integration.items()
            if key != "IntegrationResponses"
        }
        client.put_integration(**identifiers, **members(client, "PutIntegration", parameters))
        for response in integration.get("IntegrationResponses") or ():
            client.put_integration_response(**identifiers, **members(client, "PutIntegrationResponse", response))


def _identifiers(properties: dict[str, Any]) -> dict[str, str]:
    return {
        "restApiId": properties["RestApiId"],
        "resourceId": properties["ResourceId"],
        "httpMethod": properties["HttpMethod"],
    }
