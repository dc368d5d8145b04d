"""JWT authorizers: an issuer and audiences whose tokens a route accepts. Lambda authorizers are rejected."""

from urllib.parse import urlsplit

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, conflict, new_id
from serinus.offline.services.apigatewayv2.operations import (
    ApiGatewayV2Base,
    answered,
    changed,
    find_part,
    page,
    pick_members,
    replace,
)
from serinus.offline.services.apigatewayv2.sources import check_source
from serinus.offline.services.apigatewayv2.store import HttpApi

SETTABLE = ("AuthorizerType", "IdentitySource", "IdentityValidationExpression", "JwtConfiguration", "Name")
#: Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
MOST_AUTHORIZERS, MOST_AUDIENCES = 10, 50
#: Hosts on which an issuer may use plain HTTP: this machine's own, for tests without a network.
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class HttpAuthorizerOperations(ApiGatewayV2Base):
    async def create_authorizer(self, call: Call) -> Document:
        api = self.api(call)
        document: Document = {"AuthorizerId": new_id(6)} | pick_members(call.params, SETTABLE)
        check_authorizer(api, document)
        if len(api.authorizers) >= MOST_AUTHORIZERS:
            raise bad_request(f"An API can have at most {MOST_AUTHORIZERS} authorizers")
        api.authorizers[document["AuthorizerId"]] = document
        return answered(document)

    async def get_authorizer(self, call: Call) -> Document:
        return answered(self.authorizer_of(call))

    async def get_authorizers(self, call: Call) -> Document:
        return page(call, self.api(call).authorizers.values())

    async def update_authorizer(self, call: Call) -> Document:
        api, authorizer = self.api(call), self.authorizer_of(call)
        new = changed(authorizer, call.params, SETTABLE)
        check_authorizer(api, new)
        answer = replace(authorizer, new)
        self.deployed(api)
        return answer

    async def delete_authorizer(self, call: Call) -> Document:
        api, identity = self.api(call), self.authorizer_of(call)["AuthorizerId"]
        for route in api.routes.values():
            if route.get("AuthorizerId") == identity:
                raise conflict(
                    f"Cannot delete authorizer {identity}: it is referenced in route {route['RouteKey']}"
                )
        del api.authorizers[identity]
        self.deployed(api)
        return {}

    def authorizer_of(self, call: Call) -> Document:
        return find_part(self.api(call).authorizers, "Authorizer", call.params["AuthorizerId"])


def check_authorizer(api: HttpApi, authorizer: Document) -> None:
    """Raise for a setting that AWS rejects (BadRequestException) or this cloud does not model."""
    kind = authorizer["AuthorizerType"]
    if kind == "REQUEST":
        raise NotModelled("apigatewayv2: Lambda authorizers of HTTP APIs", "Use JWT authorizers.")
    if kind != "JWT":
        raise bad_request(f"Invalid authorizer type {kind}; must be JWT or REQUEST")
    for other in api.authorizers.values():
        if other["Name"] == authorizer["Name"] and other["AuthorizerId"] != authorizer["AuthorizerId"]:
            raise conflict(f"Authorizer name must be unique. {authorizer['Name']}")
    sources = authorizer.get("IdentitySource") or []
    if len(sources) != 1:
        raise bad_request(f"A JWT authorizer requires exactly one identity source (got {len(sources)})")
    check_source(sources[0])
    check_jwt(authorizer.get("JwtConfiguration") or {})


def check_jwt(configuration: Document) -> None:
    audiences, issuer = configuration.get("Audience") or [], configuration.get("Issuer") or ""
    if not audiences:
        raise bad_request("JWT configuration requires at least one audience")
    if len(audiences) > MOST_AUDIENCES:
        raise bad_request(f"A JWT authorizer can have at most {MOST_AUDIENCES} audiences (got {len(audiences)})")
    parts = urlsplit(issuer)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise bad_request(f"Invalid issuer: {issuer!r}. Issuer must be an https:// URL")
    if parts.query or parts.fragment or not parts.hostname:
        raise bad_request(f"Invalid issuer: {issuer!r}. Issuer must be an https:// URL without query or fragment")
