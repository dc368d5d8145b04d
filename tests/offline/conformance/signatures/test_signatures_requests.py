"""Signature Version 4 of requests: its parts, its date, and what it covers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from serinus.offline.cloud.cloud import Cloud


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"method": "GET"}, "<Code>AccessDenied</Code>"),
        ({"method": "PUT", "content": b"x"}, "<Code>AccessDenied</Code>"),
        ({"method": "OPTIONS"}, "<Code>AccessDenied</Code>"),
        ({"method": "POST", "data": {"Action": "ListStacks"}}, "<Code>MissingAuthenticationToken</Code>"),
        ({"method": "POST", "headers": {"X-Amz-Target": "AmazonSSM.GetParameter"}}, "MissingAuthenticationToken"),
    ],
)
def test_a_call_that_nobody_signed_is_refused(cloud: Cloud, request_: dict[str, Any], words: str) -> None:
    """A request without a signature gives 403 Missing Authentication Token; S3 says Access Denied.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    answer = httpx.request(url=f"{cloud.config.endpoint_url}/bucket/key", trust_env=False, **request_)
    assert (answer.status_code, words in answer.text) == (403, True), answer.text


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("Bearer x", "AuthorizationHeaderMalformed"),
        ("AWS4-HMAC-SHA256 Credential=A", "AuthorizationHeaderMalformed"),
        ("AWS AKIA:x", "InvalidRequest"),
    ],
)
def test_half_a_signature_is_none(cloud: Cloud, authorization: str, code: str) -> None:
    """An Authorization header without its parts, or of the former version, gives 400.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    headers = {"Authorization": authorization}
    answer = httpx.get(f"{cloud.config.endpoint_url}/bucket", headers=headers, trust_env=False)
    assert (answer.status_code, code in answer.text) == (400, True), answer.text


class DatedAuth(SigV4Auth):
    """Signs as of another time."""

    def __init__(self, *arguments: Any, minutes: float) -> None:
        super().__init__(*arguments)
        self._at = datetime.now(UTC) + timedelta(minutes=minutes)

    def add_auth(self, request: Any) -> None:
        request.context["timestamp"] = self._at.strftime("%Y%m%dT%H%M%SZ")
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))


@pytest.mark.parametrize(("minutes", "word"), [(-6, "Signature expired"), (6, "Signature not yet current")])
def test_a_signature_of_another_time_is_refused(
    cloud: Cloud, minutes: float, word: str, root_credentials: Credentials
) -> None:
    """A request must arrive within five minutes of its signature's date.

    Differs: by the machine's clock, with which clients sign, not by cloud time.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
    """
    request = AWSRequest(
        "POST",
        f"{cloud.config.endpoint_url}/",
        data="Action=GetCallerIdentity&Version=2011-06-15",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    DatedAuth(root_credentials, "sts", "us-east-1", minutes=minutes).add_auth(request)
    answer = httpx.post(request.url, content=request.data, headers=dict(request.headers.items()), trust_env=False)
    assert (answer.status_code, word in answer.text) == (403, True)


@pytest.mark.parametrize("change", ["body", "path", "query", "header", "method"])
def test_what_was_signed_cannot_be_altered(cloud: Cloud, change: str, root_credentials: Credentials) -> None:
    """Method, path, query, signed headers and body belong to the signature.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    request = AWSRequest(
        "PUT", f"{cloud.config.endpoint_url}/altered/key?tagging", data=b"{}", headers={"X-A": "1"}
    )
    S3SigV4Auth(root_credentials, "s3", "us-east-1").add_auth(request)
    headers, body, url, method = dict(request.headers.items()), b"{}", request.url, "PUT"
    if change == "body":
        body = b"other"
    elif change == "path":
        url = url.replace("key", "other")
    elif change == "query":
        url = url.replace("tagging", "acl")
    elif change == "header":
        headers["X-A"] = "2"
    else:
        method = "POST"
    answer = httpx.request(method, url, content=body, headers=headers, trust_env=False)
    assert answer.status_code in (400, 403)
    assert "SignatureDoesNotMatch" in answer.text or "XAmzContentSHA256Mismatch" in answer.text
    unaltered = httpx.put(request.url, content=b"{}", headers=dict(request.headers.items()), trust_env=False)
    assert "NoSuchBucket" in unaltered.text


@pytest.mark.parametrize("name", ["X-Amz-Target", "x-amz-acl", "X-Amz-Copy-Source"])
def test_what_changes_a_call_must_be_signed(cloud: Cloud, name: str, root_credentials: Credentials) -> None:
    """Every x-amz-* header belongs to the signature.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    request = AWSRequest("POST", f"{cloud.config.endpoint_url}/", data=b"{}")
    SigV4Auth(root_credentials, "dynamodb", "us-east-1").add_auth(request)
    headers = {**dict(request.headers.items()), name: "DynamoDB_20120810.ListTables"}
    answer = httpx.post(request.url, content=b"{}", headers=headers, trust_env=False)
    assert (answer.status_code, "must be a 'SignedHeader'" in answer.text) == (403, True)


@pytest.mark.parametrize("path", ["/moto-api/data.json", "/moto-api/reset", "/latest/meta-data/iam"])
def test_what_is_no_api_of_aws_is_not_there(cloud: Cloud, path: str, root_credentials: Credentials) -> None:
    """Every path that belongs to no other service is S3's.

    Differs: paths of moto's own are rejected, signed or not.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    request = AWSRequest("POST", f"{cloud.config.endpoint_url}{path}", data=b"")
    S3SigV4Auth(root_credentials, "s3", "us-east-1").add_auth(request)
    answer = httpx.post(request.url, headers=dict(request.headers.items()), trust_env=False)
    assert (answer.status_code, "does not model the path" in answer.text) == (501, True)
