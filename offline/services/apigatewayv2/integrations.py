"""Integrations: Lambda proxies with payload format 1.0 or 2.0."""

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, conflict, new_id
from serinus.offline.http.lambda_uri import FUNCTION_ARN, STAGE_VARIABLE, function_of
from serinus.offline.services.apigatewayv2.operations import (
    ApiGatewayV2Base,
    answered,
    changed,
    find_part,
    page,
    pick_members,
    refuse,
    replace,
)

SETTABLE = (
    "ConnectionType",
    "CredentialsArn",
    "Description",
    "IntegrationMethod",
    "IntegrationType",
    "IntegrationUri",
    "PayloadFormatVersion",
    "TimeoutInMillis",
)
UNMODELLED = {
    "ConnectionId": "VPC links",
    "ContentHandlingStrategy": "WebSocket APIs",
    "IntegrationSubtype": "integrations of AWS services",
    "PassthroughBehavior": "WebSocket APIs",
    "RequestParameters": "parameter mapping",
    "RequestTemplates": "WebSocket APIs",
    "ResponseParameters": "parameter mapping",
    "TemplateSelectionExpression": "WebSocket APIs",
    "TlsConfig": "TLS to a private integration",
}
#: Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
SHORTEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS = 50, 30_000


class HttpIntegrationOperations(ApiGatewayV2Base):
    async def create_integration(self, call: Call) -> Document:
        api = self.api(call)
        refuse(call.params, UNMODELLED)
        document: Document = {
            "IntegrationId": new_id(7),
            "ConnectionType": "INTERNET",
            "TimeoutInMillis": LONGEST_TIMEOUT_MS,
        } | pick_members(call.params, SETTABLE)
        check_integration(document)
        api.integrations[document["IntegrationId"]] = document
        self.deployed(api)
        return answered(document)

    async def get_integration(self, call: Call) -> Document:
        return answered(self.integration_of(call))

    async def get_integrations(self, call: Call) -> Document:
        return page(call, self.api(call).integrations.values())

    async def update_integration(self, call: Call) -> Document:
        refuse(call.params, UNMODELLED)
        integration = self.integration_of(call)
        new = changed(integration, call.params, SETTABLE)
        check_integration(new)
        answer = replace(integration, new)
        self.deployed(self.api(call))
        return answer

    async def delete_integration(self, call: Call) -> Document:
        api = self.api(call)
        identity = self.integration_of(call)["IntegrationId"]
        for route in api.routes.values():
            if route.get("Target") == f"integrations/{identity}":
                raise conflict(f"Cannot delete Integration, it is a target of Route {route['RouteKey']}")
        del api.integrations[identity]
        self.deployed(api)
        return {}

    def integration_of(self, call: Call) -> Document:
        return find_part(self.api(call).integrations, "Integration", call.params["IntegrationId"])


def check_integration(integration: Document) -> None:
    """Raise for a setting that AWS rejects (BadRequestException) or this cloud does not model."""
    kind = integration.get("IntegrationType")
    if kind == "HTTP_PROXY":
        raise NotModelled("apigatewayv2: HTTP_PROXY integrations", "Use AWS_PROXY with a Lambda function.")
    if kind != "AWS_PROXY":
        raise bad_request(f"Invalid integration type {kind}; must be AWS_PROXY or HTTP_PROXY")
    if integration.get("ConnectionType") == "VPC_LINK":
        raise NotModelled("apigatewayv2: VPC links")
    version = integration.get("PayloadFormatVersion")
    if version not in ("1.0", "2.0"):
        raise bad_request(
            f"PayloadFormatVersion is a required parameter for integration: 1.0 or 2.0 (got {version})"
        )
    if lambda_of(integration) is None:
        raise bad_request(
            f"Invalid integration URI: {integration.get('IntegrationUri')}; expected a function's ARN"
        )
    timeout_ms = integration["TimeoutInMillis"]
    if not SHORTEST_TIMEOUT_MS <= timeout_ms <= LONGEST_TIMEOUT_MS:
        raise bad_request(
            f"Timeout should be between {SHORTEST_TIMEOUT_MS} ms and {LONGEST_TIMEOUT_MS} ms (got {timeout_ms})"
        )


def lambda_of(integration: Document) -> str | None:
    """The function's ARN, from an ARN or an invocation URI, with its stage variables unresolved."""
    uri = str(integration.get("IntegrationUri") or "")
    plain = STAGE_VARIABLE.sub("x", uri)
    return uri if FUNCTION_ARN.match(plain) else function_of(uri)
