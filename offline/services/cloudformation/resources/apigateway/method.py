"""AWS::ApiGateway::Method with its integration and responses."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import members, missing_ok
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words


class Method(ResourceType):
    type = "AWS::ApiGateway::Method"
    modelled = words(
        "ApiKeyRequired AuthorizationScopes AuthorizationType AuthorizerId HttpMethod Integration MethodResponses "
        "OperationName RequestModels RequestParameters RequestValidatorId ResourceId RestApiId"
    )

    def create(self, request: Request) -> Made:
        place = _place(request.properties)
        identity = "|".join(place.values())
        self._put(request, place)
        return Made(identity)

    def update(self, request: Request) -> Made:
        # A deployment is a snapshot, so nothing that is served sees the method missing for a moment.
        place = _place(request.properties)
        request.client("apigateway").delete_method(**place)
        self._put(request, place)
        return Made(request.identity)

    def delete(self, request: Request) -> None:
        client, place = request.client("apigateway"), _place(request.properties)
        with missing_ok("NotFoundException"):
            client.delete_method(**place)

    def _put(self, request: Request, place: dict[str, str]) -> None:
        client, wanted = request.client("apigateway"), request.properties
        client.put_method(**{"authorizationType": "NONE", **members(client, "PutMethod", wanted)})
        request.claim("|".join(place.values()))
        for response in wanted.get("MethodResponses") or ():
            client.put_method_response(**place, **members(client, "PutMethodResponse", response))
        integration = wanted.get("Integration")
        if integration:
            self._put_integration(client, place, integration)

    def _put_integration(self, client: Any, place: dict[str, str], integration: dict[str, Any]) -> None:
        given = {
            "integrationHttpMethod" if key == "IntegrationHttpMethod" else key: value
            for key, value in integration.items()
            if key != "IntegrationResponses"
        }
        client.put_integration(**place, **members(client, "PutIntegration", given))
        for response in integration.get("IntegrationResponses") or ():
            client.put_integration_response(**place, **members(client, "PutIntegrationResponse", response))


def _place(properties: dict[str, Any]) -> dict[str, str]:
    return {
        "restApiId": properties["RestApiId"],
        "resourceId": properties["ResourceId"],
        "httpMethod": properties["HttpMethod"],
    }
