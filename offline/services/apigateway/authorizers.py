"""Lambda authorizers: functions that allow or deny calls. Cognito's are rejected."""

import re
from typing import Any

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call
from serinus.offline.http.api_documents import Document, bad_request, conflict, new_id
from serinus.offline.http.lambda_uri import function_of
from serinus.offline.services.apigateway.operations import ApiGatewayBase, answered, page, pick_members
from serinus.offline.services.apigateway.patching import apply_patch
from serinus.offline.services.apigateway.store import not_found

LONGEST_TTL_S = 3600
DEFAULT_TTL_S = 300
SETTABLE = (
    "name",
    "type",
    "authType",
    "authorizerUri",
    "authorizerCredentials",
    "identitySource",
    "identityValidationExpression",
    "authorizerResultTtlInSeconds",
)
IDENTITY_SOURCE = re.compile(r"^(method\.request\.(header|querystring)|context|stageVariables)\.[\w.$-]+$")


class RestAuthorizerOperations(ApiGatewayBase):
    async def create_authorizer(self, call: Call) -> Document:
        authorizers = self.api(call).definition.authorizers
        authorizer: Document = {"id": new_id(6), "authorizerResultTtlInSeconds": DEFAULT_TTL_S} | pick_members(
            call.params, *SETTABLE
        )
        check_authorizer(authorizer)
        if any(other["name"] == authorizer["name"] for other in authorizers.values()):
            raise conflict("Authorizer name must be unique. " + authorizer["name"])
        authorizers[authorizer["id"]] = authorizer
        return answered(authorizer)

    async def get_authorizer(self, call: Call) -> Document:
        return answered(self.authorizer_of(call))

    async def get_authorizers(self, call: Call) -> Document:
        return page(call, [answered(document) for document in self.api(call).definition.authorizers.values()])

    async def update_authorizer(self, call: Call) -> Document:
        authorizer = self.authorizer_of(call)
        changed = answered(authorizer)
        shape: Any = self.model.shape_for("Authorizer")
        apply_patch(changed, call.params.get("patchOperations", []), shape, frozenset(SETTABLE))
        check_authorizer(changed)
        authorizer.clear()
        authorizer.update(changed)
        return answered(authorizer)

    async def delete_authorizer(self, call: Call) -> Document:
        authorizer = self.authorizer_of(call)
        definition = self.api(call).definition
        for resource in definition.resources.values():
            for name, method in resource.methods.items():
                if method.get("authorizerId") == authorizer["id"]:
                    raise conflict(f"Cannot delete authorizer, is referenced in method {name} of {resource.path}")
        del definition.authorizers[authorizer["id"]]
        return {}

    def authorizer_of(self, call: Call) -> Document:
        try:
            return self.api(call).definition.authorizers[call.params["authorizerId"]]
        except KeyError:
            raise not_found("Authorizer") from None


def check_authorizer(authorizer: Document) -> None:
    """Raise for a setting that AWS rejects (BadRequestException) or this cloud does not model."""
    kind = authorizer.get("type")
    if kind == "COGNITO_USER_POOLS":
        raise NotModelled("apigateway: authorizers of Cognito user pools", "Use TOKEN or REQUEST.")
    if kind not in ("TOKEN", "REQUEST"):
        raise bad_request(f"Invalid authorizer type {kind}; must be TOKEN, REQUEST or COGNITO_USER_POOLS")
    if function_of(authorizer.get("authorizerUri") or "") is None:
        raise bad_request(f"Invalid Authorizer URI: {authorizer.get('authorizerUri')}")
    ttl_s = authorizer["authorizerResultTtlInSeconds"]
    if not 0 <= ttl_s <= LONGEST_TTL_S:
        raise bad_request(f"Authorizer result TTL must be between 0 and {LONGEST_TTL_S} (got {ttl_s})")
    sources = [source.strip() for source in (authorizer.get("identitySource") or "").split(",") if source]
    if not sources and (kind == "TOKEN" or ttl_s > 0):
        raise bad_request("Identity source is required: for TOKEN, and for REQUEST when results are cached")
    for source in sources:
        if not IDENTITY_SOURCE.match(source):
            raise bad_request(f"Invalid identity source: {source}")
