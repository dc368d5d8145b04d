"""Requests show who sends them as the endpoint asks for it, and secrets are not shown."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from botocore.credentials import Credentials

from serinus.cli.dev_tokens import sign_dev_token
from serinus.cli.endpoints import Endpoint, curl_line
from serinus.cli.errors import CliError
from serinus.cli.offline_process import RunningCloud
from serinus.cli.request_auth import ApiKeyAuth, BearerTokenAuth, NoAuth, SignatureAuth, auth_for
from serinus.cli.target import CloudTarget
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.root_key import RootKey

ISSUER = "https://login.invalid"
BODY = b'{"rows": [[1.5]]}'
TOKEN = "head.payload.signature"


@dataclass(frozen=True)
class Place:
    """A cloud with two APIs: ``signed`` wants signatures, ``guarded`` tokens; behind neither is a function."""

    target: CloudTarget
    signed: Endpoint
    guarded: Endpoint


def endpoint(**known: Any) -> Endpoint:
    base = {"name": "churn", "stack": "shop-dev-churn", "url": "http://127.0.0.1:1", "front": "rest"}
    more = {"key": None, "function": "f", "function_version": "1", "model_version": "ab"}
    return Endpoint(**{**base, **more, **known})


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with running(CloudConfig(port=0)) as cloud:
        record = RunningCloud(
            0, cloud.config.port, cloud.config.region, cloud.config.account_id, 1.0, cloud.config.root_key
        )
        target = CloudTarget(record)
        signed = endpoint(url=signed_api(target), auth="iam")
        yield Place(target, signed, endpoint(url=guarded_api(target), auth="jwt", front="http"))


def signed_api(target: CloudTarget) -> str:
    """The URL of a REST API that answers every signed request with 200."""
    api = target.client("apigateway")
    api_id = api.create_rest_api(name="signed", binaryMediaTypes=["*/*"])["id"]
    (root,) = api.get_resources(restApiId=api_id)["items"]
    proxy = api.create_resource(restApiId=api_id, parentId=root["id"], pathPart="{proxy+}")["id"]
    method = {"restApiId": api_id, "resourceId": proxy, "httpMethod": "ANY"}
    api.put_method(**method, authorizationType="AWS_IAM")
    template = {"application/json": '{"statusCode": 200}'}
    api.put_integration(
        **method,
        type="MOCK",
        requestTemplates=template,
        contentHandling="CONVERT_TO_TEXT",
        passthroughBehavior="NEVER",
    )
    api.put_method_response(**method, statusCode="200")
    api.put_integration_response(**method, statusCode="200")
    api.create_deployment(restApiId=api_id, stageName="live")
    return target.url(f"https://{api_id}.execute-api.us-east-1.amazonaws.com/live").rstrip("/")


def guarded_api(target: CloudTarget) -> str:
    """The URL of an HTTP API that takes tokens for serving, with the scope "admin" at /admin."""
    assert target.cloud is not None
    api = target.client("apigatewayv2")
    api_id = api.create_api(Name="guarded", ProtocolType="HTTP")["ApiId"]
    api.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    authorizer = api.create_authorizer(
        ApiId=api_id,
        AuthorizerType="JWT",
        Name="jwt",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": ISSUER, "Audience": ["serving"]},
    )["AuthorizerId"]
    guarded = {"ApiId": api_id, "AuthorizationType": "JWT", "AuthorizerId": authorizer}
    api.create_route(**guarded, RouteKey="POST /predict")
    api.create_route(**guarded, RouteKey="POST /admin", AuthorizationScopes=["admin"])
    return f"{target.cloud.url}/_gateway/{api_id}"


def post(caller: Any, url: str) -> httpx.Response:
    return httpx.post(url, content=BODY, headers=caller.headers(url, BODY), trust_env=False)


def test_a_signed_request_is_let_in(place: Place) -> None:
    url = f"{place.signed.url}/predict"
    caller = auth_for(place.signed, place.target)
    assert post(caller, url).status_code == 200
    assert httpx.post(url, content=BODY, trust_env=False).status_code == 403
    altered = httpx.post(url, content=b"{}", headers=caller.headers(url, BODY), trust_env=False)
    assert altered.status_code == 403
    assert (
        post(
            SignatureAuth(Credentials(place.target.cloud.key.access_key_id, "guessed"), "us-east-1"), url
        ).status_code
        == 403
    )


def test_a_session_signs_with_its_token(place: Place) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    allowed = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}],
    }
    iam = place.target.client("iam")
    arn = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="caller", PolicyName="call", PolicyDocument=json.dumps(allowed))
    session = place.target.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    known = (session["AccessKeyId"], session["SecretAccessKey"])
    url = f"{place.signed.url}/predict"
    assert post(SignatureAuth(Credentials(*known, session["SessionToken"]), "us-east-1"), url).status_code == 200
    assert post(SignatureAuth(Credentials(*known), "us-east-1"), url).status_code == 403


def test_own_tokens_are_let_in(place: Place) -> None:
    assert place.target.cloud is not None
    known = {"issuer": ISSUER, "audience": "serving"}
    plain, scoped = (
        auth_for(place.guarded, place.target, sign_dev_token(place.target.cloud, **known, scopes=scopes))
        for scopes in ((), ("read", "admin"))
    )
    # Whoever is let in meets a route without a function.
    assert [post(one, f"{place.guarded.url}/predict").status_code for one in (plain, scoped)] == [500, 500]
    assert [post(one, f"{place.guarded.url}/admin").status_code for one in (plain, scoped)] == [403, 500]
    assert post(BearerTokenAuth(TOKEN), f"{place.guarded.url}/predict").status_code == 401
    other = sign_dev_token(place.target.cloud, issuer=ISSUER, audience="another", scopes=())
    assert post(BearerTokenAuth(other), f"{place.guarded.url}/predict").status_code == 401


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("kind", ["signed", "guarded"])
def test_the_curl_line_can_be_pasted(place: Place, kind: str) -> None:
    assert place.target.cloud is not None
    target: Endpoint = getattr(place, kind)
    line = curl_line(target, [{"name": "O'Hara $HOME"}], place.target)
    token = sign_dev_token(place.target.cloud, issuer=ISSUER, audience="serving", scopes=())
    assert token not in line
    done = subprocess.run(
        ["bash", "-c", f"{line} -o /dev/null -w '%{{http_code}}' --noproxy '*'"],
        env={"SERINUS_TOKEN": token, "PATH": "/usr/bin:/bin", **place.target.cloud.environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == {"signed": "200", "guarded": "500"}[kind]


def test_keys_and_nothing_are_shown_as_asked() -> None:
    here = CloudTarget(RunningCloud(0, 1, "us-east-1", "123456789012", 1.0, RootKey.new()))
    assert auth_for(endpoint(auth="api_key", key="k1"), here).headers("u", b"")["x-api-key"] == "k1"
    assert auth_for(endpoint(auth="public"), here).headers("u", b"") == {"content-type": "application/json"}
    assert "-H 'x-api-key: k1'" in curl_line(endpoint(auth="api_key", key="k1"), [], here)
    assert curl_line(endpoint(auth="public"), [[1]], here).count("-H") == 1
    with pytest.raises(CliError, match="uses auth 'oauth'"):
        auth_for(endpoint(auth="oauth"), here)


def test_on_aws_the_curl_line_takes_credentials_from_the_shell() -> None:
    line = curl_line(endpoint(auth="iam"), [[1]], CloudTarget(None, "eu-central-1"))
    assert (
        '--aws-sigv4 aws:amz:eu-central-1:execute-api --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"' in line
    )
    assert '-H "x-amz-security-token: $AWS_SESSION_TOKEN"' in line


def test_on_aws_requests_are_signed_with_the_sessions_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_SESSION_TOKEN": "session"}
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    caller = auth_for(endpoint(auth="iam"), CloudTarget(None, "eu-central-1"))
    headers = caller.headers("https://abc.execute-api.eu-central-1.amazonaws.com/live/predict", BODY)
    assert "Credential=AKIDEXAMPLE/" in headers["Authorization"]
    assert "/eu-central-1/execute-api/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "session"
    assert "s3cr3t" not in repr(caller)


@pytest.mark.parametrize("missing", [None, "", "  \n"])
def test_a_missing_token_is_told_with_the_ways_to_give_one(place: Place, missing: str | None) -> None:
    with pytest.raises(CliError, match=r"SERINUS_TOKEN .*--token.*serinus local token churn"):
        auth_for(place.guarded, place.target, missing)


@pytest.mark.parametrize("given", [f"Bearer {TOKEN}", f" {TOKEN}\n", TOKEN])
def test_a_token_may_come_as_people_copy_it(place: Place, given: str) -> None:
    caller = auth_for(place.guarded, place.target, given)
    assert caller.headers("u", b"")["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("given", ["my secret", "a\r\nx-evil: 1", "schlüssel", '"quoted"'])
def test_what_is_no_token_is_refused_and_not_repeated(place: Place, given: str) -> None:
    with pytest.raises(CliError, match=r"is not a token \(\d+ characters\)") as refused:
        auth_for(place.guarded, place.target, given)
    assert given not in str(refused.value)


def test_secrets_are_in_no_representation() -> None:
    callers = (
        ApiKeyAuth("s3cr3t"),
        BearerTokenAuth("s3cr3t"),
        SignatureAuth(Credentials("a", "s3cr3t"), "us-east-1"),
        NoAuth(),
    )
    assert "s3cr3t" not in repr(callers)
