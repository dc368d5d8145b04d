"""AWS_IAM authorization beyond the plain cases: what is replayed, altered, expired, bounded; and HTTP APIs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def root(api: Any) -> Credentials:
    """The owner's, of the cloud that ``api`` is deployed to."""
    credentials: Credentials = api.cloud.config.root_key.credentials()
    return credentials


def allow(action: str = "execute-api:Invoke", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": "*", **more}


@pytest.fixture
def user(aws: Callable[..., Any], unique_name: Callable[..., str]) -> Callable[..., Credentials]:
    """Makes a user with a policy of these statements; returns its credentials."""

    def make(*statements: dict[str, Any]) -> Credentials:
        iam, name = aws("iam"), unique_name("signer")
        iam.create_user(UserName=name)
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(key["AccessKeyId"], key["SecretAccessKey"])

    return make


@pytest.fixture
def signed_api(rest_api: Callable[..., Any]) -> Any:
    api = rest_api()
    api.proxy("/{proxy+}", authorizationType="AWS_IAM")
    api.deploy()
    return api


class DatedAuth(SigV4Auth):
    """Signs as of another time."""

    def __init__(self, *arguments: Any, at: datetime) -> None:
        super().__init__(*arguments)
        self._at = at

    def add_auth(self, request: Any) -> None:
        request.context["timestamp"] = self._at.strftime("%Y%m%dT%H%M%SZ")
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))


def signed(
    url: str,
    credentials: Credentials,
    *,
    body: bytes = b"{}",
    service: str = "execute-api",
    region: str = "us-east-1",
    at: datetime | None = None,
    **headers: str,
) -> dict[str, str]:
    """The headers of a signed POST."""
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json", **headers})
    signer = DatedAuth(credentials, service, region, at=at) if at else SigV4Auth(credentials, service, region)
    signer.add_auth(request)
    return dict(request.headers.items())


def post(url: str, headers: dict[str, str], body: bytes = b"{}") -> httpx.Response:
    return httpx.post(url, content=body, headers=headers, trust_env=False, timeout=30)


def test_the_owners_credentials_are_the_accounts_root(signed_api: Any) -> None:
    """The account's root may invoke what it owns.

    Differs: the cloud creates root's access key itself, anew at each start.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html
    """
    answer = post(signed_api.url("/a"), signed(signed_api.url("/a"), root(signed_api)))
    assert answer.status_code == 200, answer.text
    assert answer.json()["requestContext"]["identity"]["userArn"] == "arn:aws:iam::123456789012:root"
    wrong = signed(signed_api.url("/a"), Credentials(root(signed_api).access_key, "guessed"))
    assert post(signed_api.url("/a"), wrong).status_code == 403


@pytest.mark.parametrize(("minutes", "word"), [(-6, "expired"), (6, "not yet current")])
def test_a_signature_lasts_five_minutes(signed_api: Any, minutes: int, word: str) -> None:
    """A request must arrive within five minutes of its signature's date.

    Differs: by the machine's clock, with which clients sign, not by cloud time.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
    """
    url, at = signed_api.url("/a"), datetime.now(UTC) + timedelta(minutes=minutes)
    answer = post(url, signed(url, root(signed_api), at=at))
    assert answer.status_code == 403
    assert answer.json()["message"].startswith(f"Signature {word}:")
    assert answer.headers["x-amzn-errortype"] == "InvalidSignatureException"


@pytest.mark.parametrize("scope", [{"service": "s3"}, {"region": "eu-west-1"}])
def test_a_signature_is_for_one_service_and_region(signed_api: Any, scope: dict[str, str]) -> None:
    """The credential's scope must name execute-api and the API's region.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
    """
    url = signed_api.url("/a")
    answer = post(url, signed(url, root(signed_api), **scope))
    assert (answer.status_code, "Credential should be scoped" in answer.text) == (403, True)


def test_what_was_signed_cannot_be_altered(signed_api: Any) -> None:
    """A body, path, query or signed header that differs from the signed one gives 403.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
    """
    url = signed_api.url("/a?b=1")
    headers = signed(url, root(signed_api))
    assert post(url, headers).status_code == 200
    assert post(url, headers, b"other").status_code == 403
    assert post(signed_api.url("/b?b=1"), headers).status_code == 403
    assert post(signed_api.url("/a?b=2"), headers).status_code == 403
    assert post(url, {**headers, "Content-Type": "text/csv"}).status_code == 403
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for hashed in (empty, "UNSIGNED-PAYLOAD"):
        lying = signed(url, root(signed_api), **{"X-Amz-Content-SHA256": hashed})
        assert post(url, lying, b"other").status_code == 403


@pytest.mark.parametrize(
    "given",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=offline/20260101/us-east-1/execute-api/aws4_request",
        "AWS4-HMAC-SHA256 Credential=/20260101/us-east-1/execute-api/aws4_request, SignedHeaders=host, "
        "Signature=" + "0" * 64,
        "Bearer token",
        "AWS4-HMAC-SHA512 Credential=a/20260101/us-east-1/execute-api/aws4_request, SignedHeaders=host, "
        "Signature=" + "0" * 64,
        "x" * 9000,
    ],
)
def test_what_is_no_signature_is_incomplete(signed_api: Any, given: str) -> None:
    """An Authorization header of another form gives 403 IncompleteSignatureException.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    answer = post(signed_api.url("/a"), {"Authorization": given, "X-Amz-Date": "20260101T000000Z"})
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (403, "IncompleteSignatureException")


def test_a_session_ends(stepped: Any, unique_name: Callable[..., str]) -> None:
    """Temporary credentials give 403 once they are expired.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """
    iam, sts, client = (stepped.client(name) for name in ("iam", "sts", "apigateway"))
    role = unique_name("role")
    trust = {"Version": "2012-10-17", "Statement": [{**allow("sts:AssumeRole"), "Principal": "*"}]}
    del trust["Statement"][0]["Resource"]  # type: ignore[attr-defined]
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow()]})
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document)
    given = sts.assume_role(RoleArn=arn, RoleSessionName="session", DurationSeconds=900)["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    api = client.create_rest_api(name="a")
    place = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "POST"}
    client.put_method(**place, authorizationType="AWS_IAM")
    client.put_integration(**place, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    client.put_method_response(**place, statusCode="200")
    client.put_integration_response(**place, statusCode="200")
    client.create_deployment(restApiId=api["id"], stageName="prod")
    url = f"{stepped.cloud.config.endpoint_url}/_gateway/{api['id']}/prod/"
    assert post(url, signed(url, session.get_credentials())).status_code == 200
    stolen = signed(url, Credentials(given["AccessKeyId"], given["SecretAccessKey"], "another"))
    assert post(url, stolen).headers["x-amzn-errortype"] == "UnrecognizedClientException"
    stepped.advance(901)
    answer = post(url, signed(url, session.get_credentials()))
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (403, "ExpiredTokenException")


def test_policies_decide_by_method_and_condition(signed_api: Any, user: Callable[..., Credentials]) -> None:
    """A policy's resource names API, stage, method and path; its conditions see the caller's address.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
    """
    arn = f"arn:aws:execute-api:us-east-1:123456789012:{signed_api.id}/prod/POST/a/*"
    narrow = user({**allow(), "Resource": arn})
    near = user(allow(Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}))
    far = user(allow(Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}))
    denied = user(allow(), allow(effect="Deny"))
    inside, outside = signed_api.url("/a/b"), signed_api.url("/b")
    assert post(inside, signed(inside, narrow)).status_code == 200
    assert post(outside, signed(outside, narrow)).status_code == 403
    assert post(inside, signed(inside, near)).status_code == 200
    assert post(inside, signed(inside, far)).status_code == 403
    answer = post(inside, signed(inside, denied))
    assert answer.json()["Message"].endswith("with an explicit deny")


def test_a_deactivated_key_is_unknown(
    signed_api: Any, user: Callable[..., Credentials], aws: Callable[..., Any]
) -> None:
    """An inactive access key gives 403 UnrecognizedClientException.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
    """
    credentials, url = user(allow()), signed_api.url("/a")
    assert post(url, signed(url, credentials)).status_code == 200
    name = post(url, signed(url, credentials)).json()["requestContext"]["identity"]["userArn"].rsplit("/", 1)[1]
    aws("iam").update_access_key(UserName=name, AccessKeyId=credentials.access_key, Status="Inactive")
    answer = post(url, signed(url, credentials))
    assert answer.headers["x-amzn-errortype"] == "UnrecognizedClientException"


def test_http_apis_take_signatures_too(http_api: Callable[..., Any], user: Callable[..., Credentials]) -> None:
    """A route with AWS_IAM requires a signature; any fault in it gives 403 Forbidden.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html
    """
    api = http_api()
    api.route("POST /a", AuthorizationType="AWS_IAM")
    url = api.url("/a")
    answer = post(url, signed(url, user(allow())))
    assert answer.status_code == 200, answer.text
    iam = answer.json()["requestContext"]["authorizer"]["iam"]
    assert (iam["accountId"], iam["userArn"].startswith("arn:aws:iam::123456789012:user/")) == (
        "123456789012",
        True,
    )
    for headers in ({}, signed(url, user(allow("s3:GetObject"))), signed(url, Credentials("AKIAX", "x"))):
        refused = post(url, headers)
        assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})
