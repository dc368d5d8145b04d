"""Tokens for the offline cloud, signed in the name of an endpoint's issuer by a key that is made for them.

Only a cloud on this machine can be told of such a key: to AWS the token is a forgery.
"""

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from serinus.cli.errors import CliError
from serinus.cli.offline_process import RunningCloud

if TYPE_CHECKING:
    from serinus.infra.settings import Endpoint

#: Cloud seconds that a token is good for: at sixty times the speed of time, two months of this machine's.
LASTS_S = 10 * 365 * 86_400
ALGORITHM = "RS256"


def own_token(cloud: RunningCloud, endpoint: "Endpoint") -> str:
    """A token with which the offline ``cloud`` lets callers of ``endpoint`` in; `CliError` for an
    endpoint that takes none."""
    jwt = endpoint.settings.jwt
    if endpoint.settings.auth != "jwt" or jwt.issuer is None or not jwt.audience:
        raise CliError(f'{endpoint.name} takes no tokens: it has auth = "{endpoint.settings.auth}".')
    return sign_own_token(cloud, issuer=jwt.issuer, audience=jwt.audience[0], scopes=jwt.scopes)


def sign_own_token(
    cloud: RunningCloud, *, issuer: str, audience: str, scopes: Sequence[str], subject: str = "serinus"
) -> str:
    """A token of ``issuer`` for ``audience`` that the offline ``cloud`` takes until it is stopped;
    `CliError` where that cloud cannot be told of its key."""
    import httpx
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(2048, {"kid": f"serinus-{secrets.token_hex(8)}"})
    order = {"issuer": issuer, "key": key.as_dict(private=False)}
    try:
        cloud.own_api().post("/issuers", order).raise_for_status()
        clock = cloud.own_api().get("/clock").raise_for_status()
    except httpx.HTTPError as error:
        raise CliError(f"the offline cloud at {cloud.url} could not be told of a key: {error}") from error
    now = int(clock.json()["epoch_s"])
    claims = {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + LASTS_S}
    if scopes:
        claims["scope"] = " ".join(scopes)
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key)
