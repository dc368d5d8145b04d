"""Runs JWT authorizers: finds the token and checks its issuer, audience and scopes.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

import re
from collections.abc import Sequence

from serinus.offline.http.api_documents import Document
from serinus.offline.http.request import GatewayRequest
from serinus.offline.services.apigatewayv2.serving.errors import forbidden, internal_error, unauthorized
from serinus.offline.services.apigatewayv2.serving.exchange import HttpExchange
from serinus.offline.services.apigatewayv2.serving.issuer import Issuers, IssuerUnreachable
from serinus.offline.services.apigatewayv2.serving.token import (
    InvalidToken,
    Token,
    check_claims,
    unverified,
    verified,
)
from serinus.offline.services.apigatewayv2.sources import SOURCE

BEARER = re.compile(r"^bearer\s+", re.IGNORECASE)


class JwtAuthorizer:
    """One authorizer of a stage."""

    def __init__(self, document: Document, issuers: Issuers) -> None:
        configuration = document["JwtConfiguration"]
        self._issuer: str = configuration["Issuer"]
        self._audiences: list[str] = configuration["Audience"]
        self._source: str = document["IdentitySource"][0]
        self._issuers = issuers

    async def authorize(self, exchange: HttpExchange, scopes: Sequence[str]) -> None:
        """Record the token in ``exchange``, or raise `HttpApiError`: 401, or 403 if it has none of ``scopes``."""
        header_value = identity(self._source, exchange.request)
        if not header_value:
            raise unauthorized("Bearer")
        try:
            exchange.token = await self._accepted(
                BEARER.sub("", header_value, count=1).strip(), exchange.cloud_time
            )
        except InvalidToken as error:
            exchange.authorizer_error = str(error)
            raise unauthorized(challenge(scopes, "invalid_token", str(error))) from error
        except IssuerUnreachable as error:
            exchange.authorizer_error = str(error)
            raise internal_error() from error
        if scopes and not set(scopes) & set(exchange.token.scopes):
            exchange.authorizer_error = "the token has none of the route's scopes"
            raise forbidden(challenge(scopes, "insufficient_scope", exchange.authorizer_error))

    async def _accepted(self, text: str, now: float) -> Token:
        parts = unverified(text)
        key = await self._issuers.key(self._issuer, parts.headers()["kid"])
        token = verified(parts, key)
        check_claims(token, self._issuer, self._audiences, now)
        return token


def identity(source: str, request: GatewayRequest) -> str | None:
    """An identity source's value in a request, the first if there are several."""
    match = SOURCE.match(source)
    assert match is not None
    if match["place"] == "header":
        return request.header(match["name"].lower())
    return next((value for name, value in request.query if name == match["name"]), None)


def challenge(scopes: Sequence[str], error: str, description: str) -> str:
    """The www-authenticate header with the reason."""
    ascii_description = description.replace('"', "'").encode("ascii", "replace").decode()
    return f'Bearer scope="{" ".join(scopes)}" error="{error}" error_description="{ascii_description}"'
