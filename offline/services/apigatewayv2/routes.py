"""Routes: a method and a path, or $default, and their authorization."""

import re

from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, conflict, new_id
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
from serinus.offline.services.apigatewayv2.store import HttpApi

SETTABLE = (
    "AuthorizationScopes",
    "AuthorizationType",
    "AuthorizerId",
    "OperationName",
    "RouteKey",
    "Target",
)
UNMODELLED = {
    "ModelSelectionExpression": "WebSocket APIs",
    "RequestModels": "WebSocket APIs",
    "RequestParameters": "WebSocket APIs",
    "RouteResponseSelectionExpression": "WebSocket APIs",
}
METHODS = frozenset({"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
PLAIN_PART = re.compile(r"^[^{}/\s]+$")
PARAMETER_PART = re.compile(r"^\{[\w.\-:]+\}$")
GREEDY_PART = re.compile(r"^\{[\w.\-:]+\+\}$")
MOST_SCOPES = 10
#: The authorizer type that an authorization type requires.
NEEDED = {"JWT": "JWT", "CUSTOM": "REQUEST"}


class RouteOperations(ApiGatewayV2Base):
    async def create_route(self, call: Call) -> Document:
        api = self.api(call)
        refuse(call.params, UNMODELLED)
        document: Document = {
            "RouteId": new_id(7),
            "ApiKeyRequired": False,
            "AuthorizationType": "NONE",
        } | pick_members(call.params, (*SETTABLE, "ApiKeyRequired"))
        check_route(api, document)
        api.routes[document["RouteId"]] = document
        self.deployed(api)
        return answered(document)

    async def get_route(self, call: Call) -> Document:
        return answered(self.route_of(call))

    async def get_routes(self, call: Call) -> Document:
        return page(call, self.api(call).routes.values())

    async def update_route(self, call: Call) -> Document:
        refuse(call.params, UNMODELLED)
        api, route = self.api(call), self.route_of(call)
        new = changed(route, call.params, (*SETTABLE, "ApiKeyRequired"))
        if new["AuthorizationType"] not in NEEDED:
            new.pop("AuthorizerId", None)
        check_route(api, new)
        answer = replace(route, new)
        self.deployed(api)
        return answer

    async def delete_route(self, call: Call) -> Document:
        api = self.api(call)
        del api.routes[self.route_of(call)["RouteId"]]
        self.deployed(api)
        return {}

    def route_of(self, call: Call) -> Document:
        return find_part(self.api(call).routes, "Route", call.params["RouteId"])


def check_route(api: HttpApi, route: Document) -> None:
    """Raise for a key, a target or an authorization that AWS rejects."""
    check_key(route["RouteKey"])
    for other in api.routes.values():
        if other["RouteKey"] == route["RouteKey"] and other["RouteId"] != route["RouteId"]:
            raise conflict(f"Route with key {route['RouteKey']} already exists for this API")
    if route.get("ApiKeyRequired"):
        raise bad_request("API key is not supported for HTTP APIs: apiKeyRequired must be false")
    target = route.get("Target")
    if target is not None and target.removeprefix("integrations/") not in api.integrations:
        raise bad_request(f"Invalid integration target specified: {target}")
    check_authorization(api, route)


def check_key(key: str) -> None:
    if key == "$default":
        return
    method, _, path = key.partition(" ")
    if method not in METHODS or not path.startswith("/"):
        raise bad_request(
            "The provided route key is not formatted properly for HTTP protocol. Format should be "
            f"'<HTTP METHOD> /<RESOURCE PATH>' or '$default' (got {key!r})"
        )
    parts = path[1:].split("/") if path != "/" else []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if not (PLAIN_PART.match(part) or PARAMETER_PART.match(part) or (last and GREEDY_PART.match(part))):
            raise bad_request(
                f"Invalid path {path}: {part!r} is neither text nor {{name}}, nor {{name+}} at the end"
            )


def check_authorization(api: HttpApi, route: Document) -> None:
    kind = route["AuthorizationType"]
    if kind not in ("NONE", "AWS_IAM", *NEEDED):
        raise bad_request(f"Invalid authorization type {kind}; must be NONE, AWS_IAM, CUSTOM or JWT")
    if route.get("AuthorizationScopes") and kind != "JWT":
        raise bad_request(
            "Invalid Route authorization type specified. Authorization Scopes are only valid for "
            "COGNITO_USER_POOLS and JWT authorization types"
        )
    if len(route.get("AuthorizationScopes") or []) > MOST_SCOPES:
        count = len(route["AuthorizationScopes"])
        raise bad_request(f"A route can have at most {MOST_SCOPES} scopes (got {count})")
    if kind in NEEDED:
        authorizer = api.authorizers.get(route.get("AuthorizerId") or "")
        if authorizer is None or authorizer["AuthorizerType"] != NEEDED[kind]:
            raise bad_request(
                f"Invalid authorizer ID specified. Setting the authorization type to {kind} requires a valid "
                f"{NEEDED[kind]} authorizer."
            )
