"""Presigned URLs, which S3 accepts in place of signed headers."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from serinus.offline.cloud.cloud import Cloud

ClientFactory = Callable[..., Any]


@pytest.fixture
def bucket(aws: Callable[..., Any], unique_name: Any) -> str:
    name: str = unique_name("signed")
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key="a b/ü+~.txt", Body=b"hello", ContentType="text/plain")
    return name


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_url_reads_and_writes(
    cloud: Cloud, bucket: str, version: str, client_of: ClientFactory
) -> None:
    """The holder of a presigned URL may perform the signed call, and nothing else.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
    """
    key = cloud.config.root_key
    s3 = client_of(cloud, "s3", key.access_key_id, key.secret_access_key, signature_version=version)
    where = {"Bucket": bucket, "Key": "a b/ü+~.txt"}
    url = s3.generate_presigned_url("get_object", Params={**where, "ResponseContentType": "text/x"})
    read = httpx.get(url, trust_env=False)
    assert (read.status_code, read.text, read.headers["content-type"]) == (200, "hello", "text/x")
    for altered in (
        url.replace("ature=", "ature=0"),
        url.replace("~", "other"),
        url.replace("text%2Fx", "text%2Fy"),
    ):
        assert httpx.get(altered, trust_env=False).status_code == 403, altered
    assert httpx.delete(url, trust_env=False).status_code == 403
    put = s3.generate_presigned_url("put_object", Params={**where, "ContentType": "text/y"})
    assert httpx.put(put, content=b"bye", headers={"content-type": "text/z"}, trust_env=False).status_code == 403
    assert httpx.put(put, content=b"bye", headers={"content-type": "text/y"}, trust_env=False).status_code == 200
    assert httpx.get(s3.generate_presigned_url("get_object", Params=where), trust_env=False).text == "bye"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_url_cannot_be_made_to_mean_more(
    cloud: Cloud, bucket: str, version: str, client_of: ClientFactory
) -> None:
    """A header that was not signed gives 403: There were headers present in the request which were not signed.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    key = cloud.config.root_key
    s3 = client_of(cloud, "s3", key.access_key_id, key.secret_access_key, signature_version=version)
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "up"})
    for headers in (
        {"x-amz-copy-source": f"/{bucket}/a b"},
        {"x-amz-acl": "public-read"},
        {"X-Amz-Target": "AWSCognitoIdentityService.GetId"},
    ):
        assert httpx.put(url, content=b"", headers=headers, trust_env=False).status_code == 403
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
    if version == "s3v4":  # whose presigned URLs sign no Content-Type
        answer = httpx.put(url, content=body, headers=form, trust_env=False)
        assert (answer.status_code, "etag" in answer.headers) == (200, True)  # S3's answer, and not STS'


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}/20260101/us-east-1/s3/aws4_request&X-Amz-Date="
        "20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=a&X-Amz-Expires=" + "9" * 5000,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}/20260101/us-east-1/s3/aws4_request&X-Amz-Date="
        "20260101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Expires=604800&X-Amz-Signature=%E9",
        "AWSAccessKeyId={key}&Signature=%C3%A9&Expires=9999999999",
        "AWSAccessKeyId={key}&Signature=a&Expires=" + "9" * 5000,
    ],
)
def test_an_odd_signature_is_refused_and_no_error_of_this_cloud(cloud: Cloud, query: str) -> None:
    """A malformed signature is rejected and causes no internal error.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    url = f"{cloud.config.endpoint_url}/b/k?{query.format(key=cloud.config.root_key.access_key_id)}"
    assert httpx.get(url, trust_env=False).status_code in (400, 403)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_url_ends(
    cloud: Cloud, bucket: str, version: str, monkeypatch: pytest.MonkeyPatch, client_of: ClientFactory
) -> None:
    """A presigned URL that has expired gives 403 Access Denied, Request has expired.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html#PresignedUrl-Expiration
    """
    from serinus.offline.authentication import authenticator

    key = cloud.config.root_key
    s3 = client_of(cloud, "s3", key.access_key_id, key.secret_access_key, signature_version=version)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/ü+~.txt"}, ExpiresIn=60)
    now = authenticator.real_time
    monkeypatch.setattr(authenticator, "real_time", lambda: now() + 70)
    answer = httpx.get(url, trust_env=False)
    assert (answer.status_code, "Request has expired" in answer.text) == (403, True)


def test_a_presigned_url_lasts_a_week_at_most(cloud: Cloud, bucket: str, client_of: ClientFactory) -> None:
    """A presigned URL lasts a week at most.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""
    key = cloud.config.root_key
    s3 = client_of(cloud, "s3", key.access_key_id, key.secret_access_key, signature_version="s3v4")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=604_801)
    answer = httpx.get(url, trust_env=False)
    assert (answer.status_code, "604800" in answer.text) == (400, True)


def test_a_presigned_url_may_do_what_its_signer_may(
    aws: Callable[..., Any], bucket: str, deploy_function: Any, unique_name: Any
) -> None:
    """A presigned URL of a function that may not read an object does not allow reading it.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html#who-presigned-url
    """
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]
    }
    name = unique_name("signs")
    role = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    return boto3.client('s3').generate_presigned_url('get_object', Params=event)\n"
    )
    function = deploy_function(code, Role=role)
    event = json.dumps({"Bucket": bucket, "Key": "a b/ü+~.txt"})
    url = json.loads(aws("lambda").invoke(FunctionName=function, Payload=event)["Payload"].read())
    assert httpx.get(url, trust_env=False).status_code == 403
    allowed = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    }
    aws("iam").put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(allowed))
    assert httpx.get(url, trust_env=False).text == "hello"


def test_a_presigned_call_of_another_service_is_refused_by_name(
    cloud: Cloud, root_credentials: Credentials
) -> None:
    """Any call can be made by a presigned URL.

    Differs: this cloud accepts presigned URLs for S3 only.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
    """
    request = AWSRequest("GET", f"{cloud.config.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15")
    SigV4QueryAuth(root_credentials, "sts", "us-east-1").add_auth(request)
    answer = httpx.get(request.url, trust_env=False)
    assert (answer.status_code, "presigned calls of sts" in answer.text) == (501, True)


def test_where_code_lies_is_a_link_that_this_cloud_gave_out(aws: Callable[..., Any], deploy_function: Any) -> None:
    """Code.Location is a presigned URL: its holder may download the code.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html
    """
    name = deploy_function("def handler(event, context): pass")
    url = aws("lambda").get_function(FunctionName=name)["Code"]["Location"]
    assert httpx.get(url, trust_env=False).content.startswith(b"PK")
    for altered in (url.partition("?")[0], url[:-1] + "z"):
        assert httpx.get(altered, trust_env=False).status_code == 403
