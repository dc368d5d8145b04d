"""Log events that a filter matched reach their function although the cloud was killed before, and after."""

import base64
import gzip
import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow

RECORDER = (
    "import json, boto3\n"
    "def handler(event, context):\n"
    "    sqs = boto3.client('sqs')\n"
    "    url = sqs.get_queue_url(QueueName='tally')['QueueUrl']\n"
    "    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))\n"
)
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:collector"


def make(cloud: Any, role: str) -> None:
    """A log group whose events go to a function that records them in the queue `tally`."""
    cloud.client("sqs").create_queue(QueueName="tally")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("app.py", RECORDER)
    cloud.client("lambda").create_function(
        FunctionName="collector",
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
    )
    cloud.client("lambda").add_permission(
        FunctionName="collector",
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal="logs.amazonaws.com",
    )
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName="group")
    logs.create_log_stream(logGroupName="group", logStreamName="s")
    logs.put_subscription_filter(
        logGroupName="group", filterName="f", filterPattern="{ $.n = 1 }", destinationArn=FUNCTION
    )


def test_a_batch_that_was_not_delivered_is_delivered_after_a_kill(
    cloud_process: Any, role: Callable[[Any], str], until: Callable[..., Any]
) -> None:
    cloud = cloud_process
    cloud.start("--speed", "0")
    make(cloud, role(cloud))
    events = [{"timestamp": int(time.time() * 1000), "message": json.dumps({"n": n, "k": n})} for n in (1, 2, 1)]
    cloud.client("logs").put_log_events(logGroupName="group", logStreamName="s", logEvents=events)
    cloud.settled()
    cloud.kill()
    cloud.start("--speed", "10")
    url = cloud.client("sqs").get_queue_url(QueueName="tally")["QueueUrl"]
    messages = until(lambda: cloud.client("sqs").receive_message(QueueUrl=url).get("Messages"))
    data = json.loads(messages[0]["Body"])["awslogs"]["data"]
    document = json.loads(gzip.decompress(base64.b64decode(data)))
    assert [json.loads(event["message"])["n"] for event in document["logEvents"]] == [1, 1]
    (found,) = cloud.client("logs").describe_subscription_filters(logGroupName="group")["subscriptionFilters"]
    assert found["destinationArn"] == FUNCTION
