"""Development tokens: signed by a new key that an offline cloud trusts as one of an endpoint's issuer.

Only a cloud on this machine can be made to trust such a key: AWS rejects the token.
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


def dev_token(cloud: RunningCloud, endpoint: "Endpoint") -> str:
    """A token that authorizes callers of ``endpoint`` in the offline ``cloud``; raises `CliError` for another auth
    than "jwt"."""
    jwt = endpoint.settings.jwt
    if endpoint.settings.auth != "jwt" or jwt.issuer is None or not jwt.audience:
        raise CliError(
            f'{endpoint.name} does not use tokens: it has auth = "{endpoint.settings.auth}", not "jwt".'
        )
    return sign_dev_token(cloud, issuer=jwt.issuer, audience=jwt.audience[0], scopes=jwt.scopes)


def sign_dev_token(
    cloud: RunningCloud, *, issuer: str, audience: str, scopes: Sequence[str], subject: str = "serinus"
) -> str:
    """A token of ``issuer`` for ``audience`` that the offline ``cloud`` accepts until it is stopped;
    raises `CliError` if the cloud does not accept its key."""
    import httpx
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(2048, {"kid": f"serinus-{secrets.token_hex(8)}"})
    order = {"issuer": issuer, "key": key.as_dict(private=False)}
    try:
        cloud.own_api().post("/issuers", order).raise_for_status()
        clock = cloud.own_api().get("/clock").raise_for_status()
    except httpx.HTTPError as error:
        raise CliError(f"the offline cloud at {cloud.url} did not accept a key for the token: {error}") from error
    now = int(clock.json()["epoch_s"])
    claims = {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + LASTS_S}
    if scopes:
        claims["scope"] = " ".join(scopes)
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key)
