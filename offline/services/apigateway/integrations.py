"""Integrations: the backends of methods. Lambda proxies and mocks are modelled, others rejected."""

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request
from serinus.offline.http.lambda_uri import function_of
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, pick_members, refuse
from serinus.offline.services.apigateway.serving.templates import Template
from serinus.offline.services.apigateway.store import not_found

TYPES = frozenset({"HTTP", "AWS", "MOCK", "HTTP_PROXY", "AWS_PROXY"})
PASSTHROUGH = frozenset({"WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"})
SHORTEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS = 50, 29_000
INVOCATION_TYPE = "integration.request.header.x-amz-invocation-type"
UNMODELLED = {
    "connectionId": "VPC links",
    "tlsConfig": "TLS settings of an integration",
    "cacheKeyParameters": "caching",
    "integrationTarget": "VPC link targets",
}
SETTABLE = (
    "type",
    "uri",
    "connectionType",
    "credentials",
    "requestParameters",
    "requestTemplates",
    "passthroughBehavior",
    "cacheNamespace",
    "contentHandling",
    "timeoutInMillis",
    "responseTransferMode",
    *UNMODELLED,
)
RESPONSE_SETTABLE = ("selectionPattern", "responseParameters", "responseTemplates", "contentHandling")


class RestIntegrationOperations(ApiGatewayBase):
    async def put_integration(self, call: Call) -> Document:
        method = self.method_behind(call)
        integration: Document = {
            "passthroughBehavior": "WHEN_NO_MATCH",
            "timeoutInMillis": LONGEST_TIMEOUT_MS,
            "cacheNamespace": call.params["resourceId"],
            "cacheKeyParameters": [],
        } | pick_members(call.params, *SETTABLE)
        if call.params.get("integrationHttpMethod"):
            integration["httpMethod"] = call.params["integrationHttpMethod"]
        check_integration(integration)
        method["methodIntegration"] = integration
        return answered(integration)

    async def get_integration(self, call: Call) -> Document:
        return answered(self.integration_of(call))

    async def delete_integration(self, call: Call) -> Document:
        self.integration_of(call)
        del self.method_behind(call)["methodIntegration"]
        return {}

    async def put_integration_response(self, call: Call) -> Document:
        integration = self.integration_of(call)
        status = call.params["statusCode"]
        if status not in self.method_behind(call).get("methodResponses", {}):
            raise not_found("Response status code")
        response = pick_members(call.params, "statusCode", *RESPONSE_SETTABLE)
        check_templates(response.get("responseTemplates"))
        integration.setdefault("integrationResponses", {})[status] = response
        return answered(response)

    async def get_integration_response(self, call: Call) -> Document:
        return answered(self.integration_response_of(call))

    async def delete_integration_response(self, call: Call) -> Document:
        self.integration_response_of(call)
        del self.integration_of(call)["integrationResponses"][call.params["statusCode"]]
        return {}

    def method_behind(self, call: Call) -> Document:
        return self.api(call).method(call.params["resourceId"], call.params["httpMethod"])

    def integration_of(self, call: Call) -> Document:
        try:
            integration: Document = self.method_behind(call)["methodIntegration"]
        except KeyError:
            raise not_found("Integration") from None
        return integration

    def integration_response_of(self, call: Call) -> Document:
        try:
            response: Document = self.integration_of(call)["integrationResponses"][call.params["statusCode"]]
        except KeyError:
            raise not_found("Response status code") from None
        return response


def check_integration(integration: Document) -> None:
    """Raise for a setting that AWS rejects (BadRequestException) or this cloud does not model."""
    kind = integration.get("type")
    if kind not in TYPES:
        raise bad_request(f"Invalid integration type specified: {kind}. Must be one of {sorted(TYPES)}")
    if kind not in ("AWS_PROXY", "MOCK"):
        raise NotModelled(f"apigateway: integrations of type {kind}", "Use AWS_PROXY with a function, or MOCK.")
    refuse(integration, UNMODELLED)
    if integration.get("connectionType") == "VPC_LINK":
        raise NotModelled("apigateway: VPC links")
    if integration.get("responseTransferMode") == "STREAM":
        raise NotModelled("apigateway: response streaming", "Use responseTransferMode BUFFERED.")
    if integration["passthroughBehavior"] not in PASSTHROUGH:
        raise bad_request(f"Invalid passthrough behavior; must be one of {sorted(PASSTHROUGH)}")
    timeout_ms = integration["timeoutInMillis"]
    if not SHORTEST_TIMEOUT_MS <= timeout_ms <= LONGEST_TIMEOUT_MS:
        raise bad_request(
            f"Timeout should be between {SHORTEST_TIMEOUT_MS} ms and {LONGEST_TIMEOUT_MS} ms (got {timeout_ms})"
        )
    if kind == "AWS_PROXY":
        check_proxy(integration)
    check_templates(integration.get("requestTemplates"))


def check_proxy(integration: Document) -> None:
    if not integration.get("httpMethod"):
        raise bad_request("Enumeration value for HttpMethod must be non-empty")
    if integration.get("contentHandling"):
        raise NotModelled("apigateway: contentHandling of a proxy", "binaryMediaTypes decides what is binary.")
    if INVOCATION_TYPE in {name.lower() for name in integration.get("requestParameters") or {}}:
        raise NotModelled("apigateway: X-Amz-Invocation-Type of a proxy", "Proxies invoke and wait.")
    if function_of(integration.get("uri") or "") is None:
        raise bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
            f"invocations. (uri: {integration.get('uri')})"
        )


def check_templates(templates: dict[str, str] | None) -> None:
    """Parse each mapping template, so that unmodelled syntax is rejected now and not at a request."""
    for text in (templates or {}).values():
        Template.parse(text or "")
