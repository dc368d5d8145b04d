"""On which resource deleting a version is checked, and when a role's change acts."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from serinus.offline.cloud.stepped import SteppedCloud, stepped

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
#: Makes a call and answers with the error's code, or with null.
CALLING = """
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client(event["service"], config=Config(retries={"total_max_attempts": 1}))
    try:
        getattr(client, event["call"])(**event["params"])
    except ClientError as error:
        return error.response["Error"]["Code"]
"""


class Caller:
    """A function with two versions that calls AWS under a role of its own."""

    arn = "arn:aws:lambda:us-east-1:123456789012:function:calling"

    def __init__(self, cloud: SteppedCloud) -> None:
        self.cloud = cloud
        self.iam, self.functions = cloud.client("iam"), cloud.client("lambda")
        # Roles are moto's, which clouds of one process share.
        self.role = f"calling-{uuid.uuid4().hex}"
        role = self.iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
        self.functions.create_function(
            FunctionName="calling",
            Runtime="python3.13",
            Role=role["Arn"],
            Handler="app.handler",
            Code={"ZipFile": zipped(CALLING)},
            Timeout=30,
            MemorySize=512,
            Publish=True,
        )

    def may(self, action: str, resource: str = "*") -> None:
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_role_policy(RoleName=self.role, PolicyName="may", PolicyDocument=document)

    def error(self, service: str, call: str, **params: Any) -> str | None:
        event = json.dumps({"service": service, "call": call, "params": params}).encode()
        answer = self.functions.invoke(FunctionName="calling", Payload=event)
        code: str | None = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, code
        return code


def zipped(code: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("app.py", code)
    return archive.getvalue()


@pytest.fixture
def caller() -> Iterator[Caller]:
    with stepped() as cloud:
        yield Caller(cloud)


@pytest.mark.parametrize(
    ("reading", "granted", "denied"), [("function", "", ":*"), ("version", ":*", "")], ids=["function", "version"]
)
def test_deleting_a_version_is_checked_on_one_resource(
    caller: Caller, play: Any, reading: str, granted: str, denied: str
) -> None:
    play(caller.cloud.cloud, delete_function_resource=reading)
    call = ("lambda", "delete_function")
    caller.may("lambda:DeleteFunction", f"{caller.arn}{denied}")
    assert caller.error(*call, FunctionName="calling", Qualifier="1") == "AccessDeniedException"
    caller.may("lambda:DeleteFunction", f"{caller.arn}{granted}")
    assert caller.error(*call, FunctionName="calling", Qualifier="1") is None


@pytest.mark.parametrize(("delay_s", "denied_after_s"), [("0", ()), ("10", (0, 9))])
def test_a_role_and_its_changes_act_late_or_at_once(
    play: Any, delay_s: str, denied_after_s: tuple[int, ...]
) -> None:
    with stepped() as cloud:
        play(cloud.cloud, role_propagation=delay_s)
        caller = Caller(cloud)
        caller.may("sqs:ListQueues")
        for wait_s in denied_after_s:
            cloud.advance(wait_s)
            assert caller.error("sqs", "list_queues") == "AccessDenied"
        cloud.advance(1)
        assert caller.error("sqs", "list_queues") is None
        caller.may("sns:ListTopics")
        if denied_after_s:
            assert caller.error("sqs", "list_queues") is None
            cloud.advance(10)
        assert caller.error("sqs", "list_queues") == "AccessDenied"
        assert caller.error("sns", "list_topics") is None
