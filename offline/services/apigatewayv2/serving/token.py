"""JSON Web Tokens as an HTTP API's authorizer checks them: signature, issuer, audience, times.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key

from serinus.offline.core.errors import OfflineError

#: Only RSA: a public key must not verify a keyed hash, and "none" is not a signature.
ALGORITHMS = ("RS256", "RS384", "RS512")


class InvalidToken(OfflineError):
    """A rejected token; the message is as much of the reason as the client may know."""


@dataclass(frozen=True, slots=True)
class Token:
    """An accepted token's claims."""

    claims: dict[str, Any]

    @property
    def scopes(self) -> list[str]:
        """The scopes in ``scp`` or ``scope``, a list or words in a text."""
        claim = self.claims.get("scp", self.claims.get("scope"))
        if isinstance(claim, list):
            return [str(scope) for scope in claim]
        return claim.split() if isinstance(claim, str) else []

    @property
    def texts(self) -> dict[str, str]:
        """The claims in events: every value as text, without nulls."""
        return {name: claim_text(value) for name, value in self.claims.items() if value is not None}


def claim_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{' '.join(claim_text(item) for item in value)}]"
    return json.dumps(value) if isinstance(value, dict) else str(value)


def unverified(text: str) -> jws.CompactSignature:
    """The token's parts, not yet verified; raises `InvalidToken` if it is malformed."""
    try:
        parts = jws.extract_compact(text.encode("ascii"))
        header = parts.headers()
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidToken("the token is malformed") from error
    if header.get("alg") not in ALGORITHMS:
        raise InvalidToken(f"signing method {header.get('alg')} is invalid")
    if not isinstance(header.get("kid"), str):
        raise InvalidToken("the token has no kid header")
    return parts


def verified(parts: jws.CompactSignature, key: Key) -> Token:
    """The claims, with a valid signature; raises `InvalidToken`."""
    try:
        good = jws.validate_compact(parts, key, ALGORITHMS)
    except (JoseError, ValueError, TypeError) as error:
        raise InvalidToken("the token's signature is invalid") from error
    if not good:
        raise InvalidToken("the token's signature is invalid")
    try:
        claims = json.loads(parts.payload, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidToken("the token is malformed") from error
    if not isinstance(claims, dict):
        raise InvalidToken("the token is malformed")
    return Token(claims)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def check_claims(token: Token, issuer: str, audiences: Sequence[str], now: float) -> None:
    """Raise `InvalidToken` unless the token is the issuer's, for an audience, at ``now`` (epoch s)."""
    claims = token.claims
    if claims.get("iss") != issuer:
        raise InvalidToken("the token does not have a valid issuer")
    claim = claims["aud"] if claims.get("aud") is not None else claims.get("client_id")
    named = claim if isinstance(claim, list) else [claim]
    if not any(isinstance(name, str) and name in audiences for name in named):
        raise InvalidToken("the token does not have a valid audience")
    expires = _time(claims, "exp")
    if expires is None or expires <= now:
        raise InvalidToken("the token has expired")
    for name in ("nbf", "iat"):
        begins = _time(claims, name)
        if begins is not None and begins > now:
            raise InvalidToken("the token is not valid yet")


def _time(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidToken(f"the token's {name} is not a time")
    return value
