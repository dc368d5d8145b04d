"""Who calls an AWS API: Signature Version 4 as every service checks it, and URLs that S3 takes in its place."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from serinus.offline.cloud.cloud import Cloud

#: An operation of each protocol that needs no input.
OPERATIONS = [
    ("cloudformation", "list_stacks"),
    ("cloudwatch", "describe_alarms"),
    ("codedeploy", "list_applications"),
    ("dynamodb", "list_tables"),
    ("events", "list_rules"),
    ("iam", "list_roles"),
    ("lambda", "list_functions"),
    ("logs", "describe_log_groups"),
    ("s3", "list_buckets"),
    ("sns", "list_topics"),
    ("sqs", "list_queues"),
    ("ssm", "describe_parameters"),
    ("sts", "get_caller_identity"),
    ("apigateway", "get_rest_apis"),
    ("apigatewayv2", "get_apis"),
]
QUERY = {"cloudformation", "iam", "sns", "sts"}


def client_of(cloud: Cloud, service: str, key: str, secret: str, token: str | None = None, **config: Any) -> Any:
    return boto3.session.Session(key, secret, token, region_name="us-east-1").client(
        service,
        endpoint_url=cloud.config.endpoint_url,
        config=Config(retries={"total_max_attempts": 1}, proxies={}, **config),
    )


def refused(client: Any, operation: str) -> tuple[int, str]:
    with pytest.raises(ClientError) as error:
        getattr(client, operation)()
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"], error.value.response["Error"]["Code"]


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_a_key_that_nobody_holds_is_refused(cloud: Cloud, service: str, operation: str) -> None:
    """An access key id that AWS does not know gives 403.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    expected = {"s3": "InvalidAccessKeyId"} | dict.fromkeys(QUERY, "InvalidClientTokenId")
    answer = refused(client_of(cloud, service, "AKIAUNKNOWN", "secret"), operation)
    assert answer == (403, expected.get(service, "UnrecognizedClientException"))


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_a_call_that_another_secret_signed_is_refused(cloud: Cloud, service: str, operation: str) -> None:
    """A signature made with another secret gives 403.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
    """
    expected = dict.fromkeys({"s3", *QUERY}, "SignatureDoesNotMatch")
    answer = refused(client_of(cloud, service, cloud.config.root_key.access_key_id, "guessed"), operation)
    assert answer == (403, expected.get(service, "InvalidSignatureException"))


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


def root_credentials(cloud: Cloud) -> Credentials:
    credentials: Credentials = cloud.config.root_key.credentials()
    return credentials


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
def test_a_signature_of_another_time_is_refused(cloud: Cloud, minutes: float, word: str) -> None:
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
    DatedAuth(root_credentials(cloud), "sts", "us-east-1", minutes=minutes).add_auth(request)
    answer = httpx.post(request.url, content=request.data, headers=dict(request.headers.items()), trust_env=False)
    assert (answer.status_code, word in answer.text) == (403, True)


@pytest.mark.parametrize("change", ["body", "path", "query", "header", "method"])
def test_what_was_signed_cannot_be_altered(cloud: Cloud, change: str) -> None:
    """Method, path, query, signed headers and body belong to the signature.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    request = AWSRequest(
        "PUT", f"{cloud.config.endpoint_url}/altered/key?tagging", data=b"{}", headers={"X-A": "1"}
    )
    S3SigV4Auth(root_credentials(cloud), "s3", "us-east-1").add_auth(request)
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
def test_what_changes_a_call_must_be_signed(cloud: Cloud, name: str) -> None:
    """Every x-amz-* header belongs to the signature.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    request = AWSRequest("POST", f"{cloud.config.endpoint_url}/", data=b"{}")
    SigV4Auth(root_credentials(cloud), "dynamodb", "us-east-1").add_auth(request)
    headers = {**dict(request.headers.items()), name: "DynamoDB_20120810.ListTables"}
    answer = httpx.post(request.url, content=b"{}", headers=headers, trust_env=False)
    assert (answer.status_code, "must be a 'SignedHeader'" in answer.text) == (403, True)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_url_cannot_be_made_to_mean_more(cloud: Cloud, bucket: str, version: str) -> None:
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


def test_a_session_calls_with_its_token_alone(cloud: Cloud, aws: Callable[..., Any], unique_name: Any) -> None:
    """Temporary credentials are valid with their session token, and as long as they last.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html
    """
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    name = unique_name("session")
    role = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    given = aws("sts").assume_role(RoleArn=role, RoleSessionName="one")["Credentials"]
    key = (given["AccessKeyId"], given["SecretAccessKey"])
    assert client_of(cloud, "sts", *key, given["SessionToken"]).get_caller_identity()["Arn"].endswith("/one")
    for token in (None, "another"):
        assert refused(client_of(cloud, "sts", *key, token), "get_caller_identity") == (
            403,
            "InvalidClientTokenId",
        )


def test_a_session_that_is_over_is_refused(stepped: Any, unique_name: Any) -> None:
    """An expired session is rejected.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    name = unique_name("over")
    made = stepped.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    given = stepped.client("sts").assume_role(
        RoleArn=made["Role"]["Arn"], RoleSessionName="one", DurationSeconds=900
    )["Credentials"]
    parts = (given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    sts = client_of(stepped.cloud, "sts", *parts)
    assert sts.get_caller_identity()["Arn"].endswith("/one")
    stepped.advance(901)
    assert refused(sts, "get_caller_identity") == (403, "ExpiredToken")


def test_a_user_calls_with_a_key_that_iam_gave_out(
    cloud: Cloud, aws: Callable[..., Any], unique_name: Any
) -> None:
    """An inactive access key is refused as an unknown one is.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html
    """
    iam, name = aws("iam"), unique_name("user")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    sts = client_of(cloud, "sts", key["AccessKeyId"], key["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"].endswith(f"user/{name}")
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refused(sts, "get_caller_identity") == (403, "InvalidClientTokenId")


@pytest.fixture
def bucket(aws: Callable[..., Any], unique_name: Any) -> str:
    name: str = unique_name("signed")
    aws("s3").create_bucket(Bucket=name)
    aws("s3").put_object(Bucket=name, Key="a b/ü+~.txt", Body=b"hello", ContentType="text/plain")
    return name


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_url_reads_and_writes(cloud: Cloud, bucket: str, version: str) -> None:
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
def test_a_presigned_url_ends(cloud: Cloud, bucket: str, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_presigned_url_lasts_a_week_at_most(cloud: Cloud, bucket: str) -> None:
    """A presigned URL lasts a week at most.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""
    key = cloud.config.root_key
    s3 = client_of(cloud, "s3", key.access_key_id, key.secret_access_key, signature_version="s3v4")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=604_801)
    answer = httpx.get(url, trust_env=False)
    assert (answer.status_code, "604800" in answer.text) == (400, True)


def test_a_presigned_url_may_do_what_its_signer_may(
    cloud: Cloud, aws: Callable[..., Any], bucket: str, deploy_function: Any, unique_name: Any
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


def test_a_presigned_call_of_another_service_is_refused_by_name(cloud: Cloud) -> None:
    """Any call can be made by a presigned URL.

    Differs: this cloud accepts presigned URLs for S3 only.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
    """
    request = AWSRequest("GET", f"{cloud.config.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15")
    SigV4QueryAuth(root_credentials(cloud), "sts", "us-east-1").add_auth(request)
    answer = httpx.get(request.url, trust_env=False)
    assert (answer.status_code, "presigned calls of sts" in answer.text) == (501, True)


@pytest.mark.parametrize("path", ["/moto-api/data.json", "/moto-api/reset", "/latest/meta-data/iam"])
def test_what_is_no_api_of_aws_is_not_there(cloud: Cloud, path: str) -> None:
    """Every path that belongs to no other service is S3's.

    Differs: paths of moto's own are rejected, signed or not.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    request = AWSRequest("POST", f"{cloud.config.endpoint_url}{path}", data=b"")
    S3SigV4Auth(root_credentials(cloud), "s3", "us-east-1").add_auth(request)
    answer = httpx.post(request.url, headers=dict(request.headers.items()), trust_env=False)
    assert (answer.status_code, "does not model the path" in answer.text) == (501, True)


def test_where_code_lies_is_a_link_that_this_cloud_gave_out(aws: Callable[..., Any], deploy_function: Any) -> None:
    """Code.Location is a presigned URL: its holder may download the code.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html
    """
    name = deploy_function("def handler(event, context): pass")
    url = aws("lambda").get_function(FunctionName=name)["Code"]["Location"]
    assert httpx.get(url, trust_env=False).content.startswith(b"PK")
    for altered in (url.partition("?")[0], url[:-1] + "z"):
        assert httpx.get(altered, trust_env=False).status_code == 403


def test_the_credentials_file_serves_aws_own_tools(cloud: Cloud, tmp_path: Any) -> None:
    """The file with the cloud's key has the form of AWS's shared credentials.

    Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
    """
    path = tmp_path / "credentials"
    cloud.config.root_key.write(path)
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    environment = {
        "AWS_SHARED_CREDENTIALS_FILE": str(path),
        "AWS_ENDPOINT_URL": cloud.config.endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == cloud.config.account_id, done.stderr
