"""JWT authorizers of HTTP APIs: which tokens open a route, and with which words the others are refused."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from joserfc.jwk import ECKey, RSAKey

AUDIENCE = "serving"


@dataclass
class GuardedApi:
    api: Any
    issuer: Any
    authorizer: str

    def now(self) -> float:
        now: float = self.api.cloud.clock.time()
        return now

    def token(self, **changes: Any) -> str:
        return self.issuer.sign(self.issuer.claims(self.now(), **changes))

    def call(self, token: str | None, path: str = "/", **request: Any) -> Any:
        headers = {"Authorization": token} if token is not None else {}
        return self.api.call(path=path, headers={**headers, **request.pop("headers", {})}, **request)

    def refusal(self, token: str | None) -> str:
        """The www-authenticate header of a 401."""
        answer = self.call(token)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"}), answer.text
        told: str = answer.headers["www-authenticate"]
        return told


@pytest.fixture
def guarded(http_api: Callable[..., Any], issuer: Any) -> GuardedApi:
    """An API whose routes want a token; /scoped wants the scope predict or admin."""
    api = http_api()
    made = api.client.create_authorizer(
        ApiId=api.id,
        AuthorizerType="JWT",
        Name="jwt",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer.url, "Audience": ["other", AUDIENCE]},
    )
    secured = {"AuthorizationType": "JWT", "AuthorizerId": made["AuthorizerId"]}
    api.route(**secured)
    api.route("GET /scoped", AuthorizationScopes=["predict", "admin"], **secured)
    return GuardedApi(api, issuer, made["AuthorizerId"])


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", ""])
def test_a_good_token_passes(guarded: GuardedApi, prefix: str) -> None:
    """A token of the issuer passes, with or without Bearer; the event holds its claims as text.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    token = guarded.token(groups=["a", "b"], admin=True, nothing=None)
    answer = guarded.call(prefix + token)
    assert answer.status_code == 200, answer.headers
    jwt = answer.json()["requestContext"]["authorizer"]["jwt"]
    assert (jwt["claims"]["groups"], jwt["claims"]["admin"], jwt["scopes"]) == ("[a b]", "true", None)
    assert jwt["claims"]["exp"].isdigit()


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_rsa_signatures_pass(guarded: GuardedApi, algorithm: str) -> None:
    """RSA-based algorithms are supported.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    token = guarded.issuer.sign(guarded.issuer.claims(guarded.now()), algorithm=algorithm)
    assert guarded.call(token).status_code == 200


def test_elliptic_curves_are_refused(guarded: GuardedApi) -> None:
    """Only RSA-based algorithms are supported: ES256 gives 401.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    key = ECKey.generate_key("P-256", {"kid": "one"})
    token = guarded.issuer.sign(guarded.issuer.claims(guarded.now()), algorithm="ES256", key=key)
    assert 'error="invalid_token"' in guarded.refusal(token)


def test_without_a_token_the_challenge_is_bearer(guarded: GuardedApi) -> None:
    """A request without a token gives 401 Unauthorized with www-authenticate: Bearer.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html
    """
    assert guarded.refusal(None) == "Bearer"


def test_a_wrong_audience_is_told(guarded: GuardedApi) -> None:
    """A token for another audience gives 401, and www-authenticate says so.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html
    """
    told = 'Bearer scope="" error="invalid_token" error_description="the token does not have a valid audience"'
    assert guarded.refusal(guarded.token(aud="another")) == told
    assert guarded.refusal(guarded.token(aud=None)) == told


def test_client_id_counts_only_without_aud(guarded: GuardedApi) -> None:
    """client_id is compared with the audiences only if aud is absent.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    assert guarded.call(guarded.token(aud=None, client_id=AUDIENCE)).status_code == 200
    assert guarded.call(guarded.token(aud=["x", AUDIENCE])).status_code == 200
    assert guarded.call(guarded.token(aud="x", client_id=AUDIENCE)).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"nbf": 99_999_999_999},
        {"iat": 99_999_999_999},
    ],
)
def test_a_claim_that_does_not_hold_gives_401(guarded: GuardedApi, changes: dict[str, Any]) -> None:
    """iss must be the issuer, exp after the current time, nbf and iat before it.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    assert 'error="invalid_token"' in guarded.refusal(guarded.token(**changes))


def test_a_token_needs_the_kid_of_a_key_of_the_issuer(guarded: GuardedApi) -> None:
    """The header's kid must match a key in the issuer's jwks_uri, and that key must have signed.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    claims = guarded.issuer.claims(guarded.now())
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    for token in (
        guarded.issuer.sign(claims, kid=None),
        guarded.issuer.sign(claims, kid="unknown"),
        guarded.issuer.sign(claims, key=stranger),
    ):
        assert 'error="invalid_token"' in guarded.refusal(token)


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def keyed_hash(head: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    signed = f"{part(head)}.{part(claims)}"
    return f"{signed}.{part(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def test_forged_tokens_are_refused(guarded: GuardedApi) -> None:
    """No signature, a keyed hash under the public key, and altered parts all give 401.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    claims = guarded.issuer.claims(guarded.now())
    good = guarded.issuer.sign(claims)
    head, _, signature = good.split(".")
    public = guarded.issuer.key.as_pem(private=False)
    forged = [
        f"{part({'alg': 'none', 'kid': 'one'})}.{part(claims)}.",
        f"{part({'alg': 'None', 'kid': 'one'})}.{part(claims)}.{signature}",
        keyed_hash({"alg": "HS256", "kid": "one"}, claims, public),
        keyed_hash({"alg": "RS256", "kid": "one"}, claims, public),
        f"{head}.{part({**claims, 'sub': 'root'})}.{signature}",
        f"{head}.{part(claims)}.",
        f"{head}.{part(claims)}.{signature[:-8]}AAAAAAAA",
        f"{part({'alg': 'RS256', 'kid': 'one', 'jwk': guarded.issuer.keys[0]})}.{part(claims)}.{signature}",
        f"{part({'alg': 'RS256', 'kid': 'one', 'crit': ['b64'], 'b64': False})}.{part(claims)}.{signature}",
    ]
    for token in forged:
        assert 'error="invalid_token"' in guarded.refusal(f"Bearer {token}")


@pytest.mark.parametrize(
    "token",
    [
        "Bearer",
        "Basic dXNlcjpwYXNz",
        "Bearer x",
        "Bearer a.b",
        "Bearer a.b.c.d",
        "Bearer ...",
        "Bearer " + part({"alg": "RS256", "kid": ["one"]}) + ".e30.AA",
        "Bearer " + part([]) + ".e30.AA",
        "Bearer " + part(b"\xff") + ".e30.AA",
        "Bearer " + part(b"[" * 3000) + ".e30.AA",
        "Bearer \xe4.\xe4.\xe4",
        "Bearer " + "A" * 8000,
    ],
)
def test_malformed_tokens_are_refused(guarded: GuardedApi, token: str) -> None:
    """A malformed token gives 401 Unauthorized.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    answer = guarded.api.call(headers={"Authorization": token.encode("latin-1")})
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})


@pytest.mark.parametrize("payload", [b"[]", b"null", b"x", b'{"exp": NaN}', b"[" * 3000, b"\xff"])
def test_signed_payloads_that_are_no_claims_are_refused(guarded: GuardedApi, payload: bytes) -> None:
    """A valid signature over a payload without claims gives 401.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    assert 'error="invalid_token"' in guarded.refusal(guarded.issuer.sign(payload))


def test_one_of_the_routes_scopes_is_enough(guarded: GuardedApi) -> None:
    """scope or scp must include one of the route's scopes at least; else 403 Forbidden.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    for given in ({"scope": "read predict"}, {"scp": ["admin"]}):
        answer = guarded.call(guarded.token(**given), "/scoped")
        assert answer.status_code == 200
        assert answer.json()["requestContext"]["authorizer"]["jwt"]["scopes"]
    answer = guarded.call(guarded.token(scope="read"), "/scoped")
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
    assert answer.headers["www-authenticate"].startswith('Bearer scope="predict admin" error="insufficient_scope"')


def test_a_token_may_come_in_the_query(guarded: GuardedApi) -> None:
    """The identity source may be a query parameter.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    api = guarded.api
    api.client.update_authorizer(
        ApiId=api.id, AuthorizerId=guarded.authorizer, IdentitySource=["$request.querystring.token"]
    )
    assert api.call(path=f"/?token={guarded.token()}").status_code == 200
    assert api.call(path="/", headers={"Authorization": guarded.token()}).status_code == 401


def test_tokens_expire_by_cloud_time(stepped: Any, issuer: Any, unique_name: Callable[..., str]) -> None:
    """A token expires at its exp, by the cloud's clock.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    import httpx

    client = stepped.client("apigatewayv2")
    api_id = client.create_api(Name=unique_name("api"), ProtocolType="HTTP")["ApiId"]
    client.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    authorizer = client.create_authorizer(
        ApiId=api_id,
        AuthorizerType="JWT",
        Name="jwt",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer.url, "Audience": [AUDIENCE]},
    )["AuthorizerId"]
    client.create_route(ApiId=api_id, RouteKey="$default", AuthorizationType="JWT", AuthorizerId=authorizer)
    token = issuer.sign(issuer.claims(stepped.cloud.clock.time()))
    url = f"{stepped.cloud.config.endpoint_url}/_gateway/{api_id}/"

    def status() -> int:
        return httpx.get(url, headers={"Authorization": token}, trust_env=False).status_code

    # The route has no integration: whom it lets in meets that.
    assert status() == 500
    stepped.advance(601)
    assert status() == 401


def test_guarded_routes_guard_preflights_too(guarded: GuardedApi) -> None:
    """With CORS, a $default route with an authorizer rejects bare preflights; an open OPTIONS route does not.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    """
    api = guarded.api
    api.client.update_api(ApiId=api.id, CorsConfiguration={"AllowOrigins": ["*"], "AllowMethods": ["POST"]})
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    assert api.call("OPTIONS", "/x", headers=asked).status_code == 401
    api.route("OPTIONS /{proxy+}")
    answer = api.call("OPTIONS", "/x", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")


@pytest.mark.parametrize(
    "configuration",
    [
        {"Issuer": "http://issuer.example", "Audience": ["a"]},
        {"Issuer": "not a url", "Audience": ["a"]},
        {"Issuer": "https://issuer.example", "Audience": []},
        {"Issuer": "https://issuer.example", "Audience": [str(number) for number in range(51)]},
    ],
)
def test_an_issuer_is_an_https_url_with_audiences(
    http_api: Callable[..., Any], configuration: dict[str, Any]
) -> None:
    """A JWT authorizer has an issuer with https and 1 to 50 audiences.

    Differs: an issuer on this machine may use plain HTTP, so that tests need no network.

    Source: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers.html
    """
    api = http_api()
    with pytest.raises(ClientError, match="BadRequestException"):
        api.client.create_authorizer(
            ApiId=api.id,
            AuthorizerType="JWT",
            Name="jwt",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration=configuration,
        )


def test_jwt_routes_need_a_jwt_authorizer_and_scopes_a_jwt_route(open_api: Any) -> None:
    """AuthorizationType JWT needs the id of a JWT authorizer; scopes are for JWT routes only.

    Source: https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-routes.html
    """
    for settings in ({"AuthorizationType": "JWT", "AuthorizerId": "none"}, {"AuthorizationScopes": ["a"]}):
        with pytest.raises(ClientError, match="BadRequestException"):
            open_api.client.create_route(ApiId=open_api.id, RouteKey="GET /a", **settings)
