"""This cloud's own API for issuers' keys: lets a test or a rehearsal sign tokens as an issuer.

GET    /_offline/issuers                              {"issuers": {URL: [kid of each added key]}}
POST   /_offline/issuers {"issuer": URL, "key": JWK}  accept this public RSA key beside those it publishes
DELETE /_offline/issuers[?issuer=URL]                 remove added keys
"""

from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serinus.offline.core.errors import OfflineError
from serinus.offline.services.apigatewayv2.serving.issuer import Issuers

USAGE = 'send {"issuer": URL as the authorizer names it, "key": public RSA key as a JWK with a kid}'
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})


def routes(issuers: Issuers) -> list[Route]:
    """The routes under /_offline that list, add and remove keys of ``issuers``."""

    async def listed(_request: Request) -> Response:
        return JSONResponse({"issuers": issuers.published()})

    async def add(request: Request) -> Response:
        try:
            issuer, key = _parse_body(await request.json())
        except (OfflineError, ValueError) as error:
            return JSONResponse({"message": f"{error}; {USAGE}"}, status_code=400)
        issuers.add_key(issuer, key)
        return await listed(request)

    async def remove(request: Request) -> Response:
        issuers.remove_keys(request.query_params.get("issuer"))
        return await listed(request)

    return [
        Route("/_offline/issuers", listed, methods=["GET"]),
        Route("/_offline/issuers", add, methods=["POST"]),
        Route("/_offline/issuers", remove, methods=["DELETE"]),
    ]


def _parse_body(body: Any) -> tuple[str, RSAKey]:
    """The issuer and the key in a request's body; raises `OfflineError` if it lacks them."""
    if not isinstance(body, dict) or body.keys() != {"issuer", "key"} or not isinstance(body["issuer"], str):
        raise OfflineError("the body is not an issuer and a key")
    key_document = body["key"]
    if (
        not isinstance(key_document, dict)
        or not isinstance(key_document.get("kid"), str)
        or key_document.get("kty") != "RSA"
    ):
        raise OfflineError("the key is not an RSA key with a kid")
    if PRIVATE_MEMBERS & key_document.keys():
        raise OfflineError("the key is private, which only the signer should hold")
    try:
        return body["issuer"], RSAKey.import_key(key_document)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise OfflineError(f"the key cannot be read: {error}") from error
