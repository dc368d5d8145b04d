"""No cloud time is skipped between a function's line and the function behind the filter of its log group."""

import base64
import gzip
import json
from collections.abc import Callable

from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

RECORDER = (
    "import json, os, boto3\n"
    "def handler(event, context):\n"
    "    boto3.client('sqs').send_message(QueueUrl=os.environ['TALLY'], MessageBody=json.dumps(event))\n"
)
PRINTER = "def handler(event, context):\n    print('{\"n\": 1}')\n"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def test_a_printed_line_is_delivered_before_the_next_hour_although_time_is_skipped_to_it(
    zip_of: Callable[..., bytes],
) -> None:
    with running(CloudConfig(port=0, max_workers=2)) as cloud:
        functions, logs, sqs = (cloud.client(name) for name in ("lambda", "logs", "sqs"))
        iam = cloud.client("iam")
        role = iam.create_role(RoleName="runs", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        iam.attach_role_policy(RoleName="runs", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        url = sqs.create_queue(QueueName="tally")["QueueUrl"]
        for name, code in (("printer", PRINTER), ("recorder", RECORDER)):
            functions.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Role=role,
                Handler="app.handler",
                Code={"ZipFile": zip_of({"app.py": code})},
                Environment={"Variables": {"TALLY": url}},
                Timeout=60,
            )
        functions.add_permission(
            FunctionName="recorder",
            StatementId="logs",
            Action="lambda:InvokeFunction",
            Principal="logs.amazonaws.com",
        )
        logs.create_log_group(logGroupName="/aws/lambda/printer")
        logs.put_subscription_filter(
            logGroupName="/aws/lambda/printer",
            filterName="f",
            filterPattern="{ $.n = 1 }",
            destinationArn="arn:aws:lambda:us-east-1:123456789012:function:recorder",
        )
        begun = cloud.clock.time()
        functions.invoke(FunctionName="printer")
        skipped = cloud.own_api().post("/clock", {"skip_to": begun + 3600}, timeout_s=60)
        assert skipped.json()["epoch_s"] >= begun + 3600
        (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["SentTimestamp"])["Messages"]
        assert int(message["Attributes"]["SentTimestamp"]) / 1000 < begun + 600
        document = json.loads(gzip.decompress(base64.b64decode(json.loads(message["Body"])["awslogs"]["data"])))
        assert [event["message"] for event in document["logEvents"]] == ['{"n": 1}\n']
