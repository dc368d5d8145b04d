"""Asynchronous invocation: acceptance, retries, dead-letter queues and destinations."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

COUNTER = (
    "import json, os, boto3\n"
    "def handler(event, context):\n"
    "    boto3.client('sqs').send_message(QueueUrl=os.environ['TALLY'], MessageBody=json.dumps(event))\n"
    "    if event.get('fail'):\n        raise RuntimeError('as asked')\n"
    "    return {'fine': True}\n"
)


def wait_until(condition, what: str):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come true")


@pytest.fixture
def queue(aws, unique_name):
    """Makes queues: returns (url, arn)."""

    def make(prefix="queue"):
        url = aws("sqs").create_queue(QueueName=unique_name(prefix))["QueueUrl"]
        arn = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return url, arn

    return make


@pytest.fixture
def receive(aws):
    """Waits for one message of a queue."""

    def one(url):
        def look():
            return aws("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")

        return wait_until(look, "a message")[0]

    return one


@pytest.fixture
def counting(deploy_function, queue):
    """A function that tells a queue of each run; returns (name, the queue's url)."""

    def deploy(**configuration):
        url, _ = queue("tally")
        name = deploy_function(
            COUNTER, MemorySize=512, Timeout=30, Environment={"Variables": {"TALLY": url}}, **configuration
        )
        return name, url

    return deploy


def test_an_event_is_accepted_at_once_and_runs_later(aws, counting, receive):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html"""
    name, tally = counting()
    answer = aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')
    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    assert json.loads(receive(tally)["Body"]) == {"n": 1}


def test_an_event_may_have_1_mb(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    name = deploy_function("def handler(event, context):\n    pass\n")
    for size, accepted in ((1_048_576 - 2, True), (1_048_576 - 1, False)):
        event = {"FunctionName": name, "InvocationType": "Event", "Payload": b'"' + b"x" * size + b'"'}
        if accepted:
            aws("lambda").invoke(**event)
            continue
        with pytest.raises(ClientError) as error:
            aws("lambda").invoke(**event)
        assert error.value.response["Error"]["Code"] == "RequestTooLargeException"


def test_success_goes_to_its_destination(aws, counting, queue, receive):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    (name, _), (url, arn) = counting(), queue()
    aws("lambda").put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    answer = aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 2}')
    record = json.loads(receive(url)["Body"])
    assert record["requestContext"] == {
        "requestId": answer["ResponseMetadata"]["RequestId"],
        "functionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{name}:$LATEST",
        "condition": "Success",
        "approximateInvokeCount": 1,
    }
    assert record["requestPayload"] == {"n": 2}
    assert record["responsePayload"] == {"fine": True}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_a_failed_event_goes_to_queue_and_destination(aws, counting, queue, receive):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    (dead_url, dead_arn), (url, arn) = queue("dead"), queue()
    name, _ = counting(DeadLetterConfig={"TargetArn": dead_arn})
    aws("lambda").put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"fail": true}')
    dead = receive(dead_url)
    assert json.loads(dead["Body"]) == {"fail": True}
    assert dead["MessageAttributes"]["ErrorMessage"]["StringValue"] == "as asked"
    record = json.loads(receive(url)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "as asked"


def test_a_failed_event_is_tried_three_times_over_minutes(zip_of, unique_name):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""
    name = unique_name("failing")
    with running(CloudConfig(port=0, clock_factor=600)) as cloud:
        made = {service: cloud.client(service) for service in ("lambda", "iam", "logs")}
        trust = '{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}'  # noqa: E501
        role = made["iam"].create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        everything = "arn:aws:iam::aws:policy/AdministratorAccess"
        made["iam"].attach_role_policy(RoleName=name, PolicyArn=everything)
        made["lambda"].create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": zip_of({"app.py": "def handler(event, context):\n    raise ValueError('again')\n"})},
        )
        made["lambda"].invoke(FunctionName=name, InvocationType="Event")

        def starts():
            groups = made["logs"].describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
            events = (
                made["logs"].filter_log_events(logGroupName=f"/aws/lambda/{name}") if groups else {"events": []}
            )
            found = [event for event in events["events"] if event["message"].startswith("START")]
            return found if len(found) == 3 else None

        first, second, third = wait_until(starts, "three attempts")
    assert 55 <= (second["timestamp"] - first["timestamp"]) / 1000 <= 180
    assert 110 <= (third["timestamp"] - second["timestamp"]) / 1000 <= 300
    assert len({event["message"] for event in (first, second, third)}) == 1


def test_event_invoke_settings_can_be_put_updated_and_deleted(aws, deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionEventInvokeConfig.html"""
    functions, name = aws("lambda"), deploy_function("x = 1")
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    functions.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    shown = functions.get_function_event_invoke_config(FunctionName=name)
    assert (shown["MaximumRetryAttempts"], shown["MaximumEventAgeInSeconds"]) == (1, 60)
    assert shown["FunctionArn"].endswith(f"{name}:$LATEST")
    assert len(functions.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]) == 1
    functions.delete_function_event_invoke_config(FunctionName=name)
    with pytest.raises(ClientError) as error:
        functions.get_function_event_invoke_config(FunctionName=name)
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.parametrize(("setting", "value"), [("MaximumRetryAttempts", 3), ("MaximumEventAgeInSeconds", 59)])
def test_event_invoke_settings_have_ranges(aws, deploy_function, setting, value):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html"""
    with pytest.raises(ClientError) as error:
        aws("lambda").put_function_event_invoke_config(FunctionName=deploy_function("x = 1"), **{setting: value})
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_dead_letters_go_to_queues_and_topics_only(deploy_function):
    """Source: https://docs.aws.amazon.com/lambda/latest/api/API_DeadLetterConfig.html"""
    with pytest.raises(ClientError) as error:
        deploy_function("x = 1", DeadLetterConfig={"TargetArn": "arn:aws:s3:::bucket"})
    assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"
