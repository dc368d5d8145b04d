"""A log group, a function behind it, and what makes a subscription filter between them."""

import base64
import gzip
import json
import time
from types import SimpleNamespace

import pytest

#: Sends each event that it receives to a queue.
RECORDER = (
    "import json, os, boto3\n"
    "def handler(event, context):\n"
    "    boto3.client('sqs').send_message(QueueUrl=os.environ['TALLY'], MessageBody=json.dumps(event))\n"
)
ACCOUNT, REGION = "123456789012", "us-east-1"


def arn_of(function):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"


def group_arn(group):
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"


def decoded(event):
    """The document in a function's event."""
    return json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))


def allow(client, function, group, *, principal="logs.amazonaws.com", **conditions):
    client.add_permission(
        FunctionName=function,
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal=principal,
        **{"SourceArn": group_arn(group), "SourceAccount": ACCOUNT, **conditions},
    )


def subscribe(aws, group, function, pattern="", name="filter", **more):
    aws("logs").put_subscription_filter(
        logGroupName=group, filterName=name, filterPattern=pattern, destinationArn=arn_of(function), **more
    )


def put(aws, group, *messages):
    events = [{"timestamp": int(time.time() * 1000), "message": message} for message in messages]
    return aws("logs").put_log_events(logGroupName=group, logStreamName="s", logEvents=events)


def make_role(iam, name):
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    return name


@pytest.fixture
def subscriptions():
    """What tests of subscription filters do."""
    return SimpleNamespace(
        arn_of=arn_of,
        group_arn=group_arn,
        decoded=decoded,
        allow=allow,
        subscribe=subscribe,
        put=put,
        make_role=make_role,
    )


@pytest.fixture
def group(aws, unique_name, delete_later):
    """The name of a log group with the stream "s"."""
    name = unique_name("group")
    aws("logs").create_log_group(logGroupName=name)
    aws("logs").create_log_stream(logGroupName=name, logStreamName="s")
    delete_later(aws("logs").delete_log_group, logGroupName=name)
    return name


@pytest.fixture
def recorder(aws, deploy_function, unique_name):
    """A function that records its events; returns (name, what it received since the last call)."""
    url = aws("sqs").create_queue(QueueName=unique_name("tally"))["QueueUrl"]
    name = deploy_function(RECORDER, MemorySize=512, Timeout=30, Environment={"Variables": {"TALLY": url}})

    def received(at_least=1, events=0):
        """Documents, until there are ``at_least`` of them with ``events`` log events in all."""
        documents, deadline = [], time.monotonic() + 30
        while len(documents) < at_least or sum(len(each["logEvents"]) for each in documents) < events:
            assert time.monotonic() < deadline, documents
            messages = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
            documents += [decoded(json.loads(message["Body"])) for message in messages]
            for message in messages:
                aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            time.sleep(0.02)
        return documents

    return name, received
