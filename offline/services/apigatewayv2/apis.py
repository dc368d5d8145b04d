"""HTTP APIs themselves: their names and CORS configurations."""

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, new_id
from serinus.offline.services.apigatewayv2.domain_names import HttpDomainNameOperations
from serinus.offline.services.apigatewayv2.operations import answered, changed, page, pick_members, refuse, replace
from serinus.offline.services.apigatewayv2.store import HttpApi

SETTABLE = ("Name", "Description", "Version", "CorsConfiguration", "DisableExecuteApiEndpoint", "IpAddressType")
UNMODELLED = {
    "Target": "quick create; create integration, route and stage",
    "CredentialsArn": "quick create; create integration, route and stage",
    "RouteKey": "quick create; create integration, route and stage",
    "DisableSchemaValidation": "WebSocket APIs",
}
ROUTE_SELECTION = "$request.method $request.path"
KEY_SELECTION = "$request.header.x-api-key"
LONGEST_CORS_AGE_S = 86_400


class ApiOperations(HttpDomainNameOperations):
    async def create_api(self, call: Call) -> Document:
        check_protocol(call.params["ProtocolType"])
        refuse(call.params, UNMODELLED)
        check_expressions(call.params)
        api_id = new_id(10)
        document: Document = {
            "ApiId": api_id,
            "ApiEndpoint": f"https://{api_id}.execute-api.{call.region}.amazonaws.com",
            "ProtocolType": "HTTP",
            "CreatedDate": self.context.clock.now(),
            "RouteSelectionExpression": ROUTE_SELECTION,
            "ApiKeySelectionExpression": KEY_SELECTION,
            "DisableExecuteApiEndpoint": False,
            "IpAddressType": "ipv4",
            "Tags": {},
        } | pick_members(call.params, (*SETTABLE, "Tags"))
        check_cors(document.get("CorsConfiguration"))
        self.store(call).apis[api_id] = HttpApi(document)
        return answered(document)

    async def get_api(self, call: Call) -> Document:
        return answered(self.api(call).document)

    async def get_apis(self, call: Call) -> Document:
        return page(call, [api.document for api in self.store(call).apis.values()])

    async def update_api(self, call: Call) -> Document:
        refuse(call.params, UNMODELLED)
        check_expressions(call.params)
        api = self.api(call)
        new = changed(api.document, call.params, SETTABLE)
        check_cors(new.get("CorsConfiguration"))
        answer = replace(api.document, new)
        self.deployed(api)
        return answer

    async def delete_cors_configuration(self, call: Call) -> Document:
        self.api(call).document.pop("CorsConfiguration", None)
        return {}

    async def delete_api(self, call: Call) -> Document:
        self.api(call)
        self.check_unmapped(call)
        del self.store(call).apis[call.params["ApiId"]]
        return {}


def check_protocol(protocol: str) -> None:
    if protocol == "WEBSOCKET":
        raise NotModelled("apigatewayv2: WebSocket APIs", "Use HTTP APIs.")
    if protocol != "HTTP":
        raise bad_request(f"Invalid protocol type {protocol}; must be HTTP or WEBSOCKET")


def check_expressions(params: Document) -> None:
    """Raise BadRequestException unless the selection expressions are those of HTTP APIs."""
    for name, only in (
        ("RouteSelectionExpression", ROUTE_SELECTION),
        ("ApiKeySelectionExpression", KEY_SELECTION),
    ):
        if params.get(name) not in (None, only, "${request.method} ${request.path}"):
            raise bad_request(f"{name} of an HTTP API must be {only} (got {params[name]})")


def check_cors(cors: Document | None) -> None:
    """Raise BadRequestException for a CORS configuration that AWS rejects."""
    if cors is None:
        return
    age_s = cors.get("MaxAge") or 0
    if not -1 <= age_s <= LONGEST_CORS_AGE_S:
        raise bad_request(f"Invalid CORS max age {age_s}; must be between -1 and {LONGEST_CORS_AGE_S} seconds")
    if cors.get("AllowCredentials") and "*" in (cors.get("AllowOrigins") or []):
        raise bad_request("allow-credentials is not supported if the allowed origins or headers are set to '*'")
    for origin in cors.get("AllowOrigins") or []:
        if origin != "*" and "://" not in origin:
            raise bad_request(f"Invalid CORS origin {origin}; must be * or start with a scheme, as https://")
