"""Keys that are given in an issuer's name open what it guards, without the issuer being asked."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from serinus.offline.client.own_api import OwnApi
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

#: Reserved: nobody answers there (RFC 6761).
ISSUER = "https://login.invalid/pool"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running(CloudConfig(port=0)) as started:
        yield started


@pytest.fixture(scope="module")
def guarded_url(cloud: Cloud) -> str:
    """An API whose every route wants a token of the issuer, for serving and with the scope predict."""
    client = cloud.client("apigatewayv2")
    api_id = client.create_api(Name="guarded", ProtocolType="HTTP")["ApiId"]
    client.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    authorizer = client.create_authorizer(
        ApiId=api_id,
        AuthorizerType="JWT",
        Name="jwt",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": ISSUER, "Audience": ["serving"]},
    )["AuthorizerId"]
    client.create_route(
        ApiId=api_id,
        RouteKey="$default",
        AuthorizationType="JWT",
        AuthorizerId=authorizer,
        AuthorizationScopes=["predict"],
    )
    return f"{cloud.config.endpoint_url}/_gateway/{api_id}/"


class Keys:
    """This cloud's API for keys."""

    def __init__(self, api: OwnApi) -> None:
        self.api = api

    def give(self, key: Any, issuer: Any = ISSUER) -> httpx.Response:
        return self.api.post("/issuers", {"issuer": issuer, "key": key})


@pytest.fixture
def keys(cloud: Cloud) -> Iterator[Keys]:
    made = Keys(cloud.own_api())
    yield made
    made.api.delete("/issuers")


def token(key: RSAKey, **claims: Any) -> str:
    told = {"iss": ISSUER, "aud": "serving", "exp": int(time.time()) + 600, **claims}
    return jws.serialize_compact({"alg": "RS256", "kid": key.kid}, json.dumps(told).encode(), key)


def ask(url: str, token: str) -> int:
    return httpx.get(url, headers={"authorization": f"Bearer {token}"}, trust_env=False).status_code


def test_a_given_key_opens_until_it_is_taken_back(keys: Keys, guarded_url: str) -> None:
    key, other = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("run", "other"))
    assert keys.give(key.as_dict(private=False)).json() == {"issuers": {ISSUER: ["run"]}}
    # Scopes are looked at once a token was found good; without them it is refused in another way.
    assert ask(guarded_url, token(key)) == 403
    for refused in (
        token(key, aud="another"),
        token(key, iss="https://another.invalid"),
        token(key, exp=int(time.time()) - 1000),
        token(RSAKey.generate_key(2048, {"kid": "run"})),
    ):
        assert ask(guarded_url, refused) == 401
    keys.give(other.as_dict(private=False))
    keys.api.delete("/issuers", params={"issuer": "https://another.invalid"})
    assert keys.api.get("/issuers").json() == {"issuers": {ISSUER: ["run", "other"]}}
    keys.api.delete("/issuers", params={"issuer": ISSUER})
    assert keys.api.get("/issuers").json() == {"issuers": {}}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ({"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB", "d": "AQAB"}, "private"),
        ({"kty": "RSA", "kid": "a"}, "cannot be read"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "not an RSA key with a kid"),
        (ECKey.generate_key("P-256", {"kid": "a"}).as_dict(private=False), "not an RSA key with a kid"),
        ("key", "not an RSA key with a kid"),
    ],
)
def test_what_is_no_public_key_is_refused(keys: Keys, key: Any, words: str) -> None:
    answer = keys.give(key)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert "public RSA key as a JWK with a kid" in answer.json()["message"]


def test_what_is_no_order_is_refused(keys: Keys) -> None:
    assert keys.give({}, issuer=7).status_code == 400
    assert keys.api.request("POST", "/issuers", content=b"{").status_code == 400
