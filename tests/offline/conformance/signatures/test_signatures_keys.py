"""Access keys of AWS API calls: the root's, users' and sessions', with their secrets and tokens."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serinus.offline.cloud.cloud import Cloud

ClientFactory = Callable[..., Any]
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


def refused(client: Any, operation: str) -> tuple[int, str]:
    with pytest.raises(ClientError) as error:
        getattr(client, operation)()
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"], error.value.response["Error"]["Code"]


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_a_key_that_nobody_holds_is_refused(
    cloud: Cloud, service: str, operation: str, client_of: ClientFactory
) -> None:
    """An access key id that AWS does not know gives 403.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    expected = {"s3": "InvalidAccessKeyId"} | dict.fromkeys(QUERY, "InvalidClientTokenId")
    answer = refused(client_of(cloud, service, "AKIAUNKNOWN", "secret"), operation)
    assert answer == (403, expected.get(service, "UnrecognizedClientException"))


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_a_call_that_another_secret_signed_is_refused(
    cloud: Cloud, service: str, operation: str, client_of: ClientFactory
) -> None:
    """A signature made with another secret gives 403.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
    """
    expected = dict.fromkeys({"s3", *QUERY}, "SignatureDoesNotMatch")
    answer = refused(client_of(cloud, service, cloud.config.root_key.access_key_id, "guessed"), operation)
    assert answer == (403, expected.get(service, "InvalidSignatureException"))


def test_a_session_calls_with_its_token_alone(
    cloud: Cloud, aws: Callable[..., Any], unique_name: Any, client_of: ClientFactory
) -> None:
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


def test_a_session_that_is_over_is_refused(stepped: Any, unique_name: Any, client_of: ClientFactory) -> None:
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
    cloud: Cloud, aws: Callable[..., Any], unique_name: Any, client_of: ClientFactory
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
