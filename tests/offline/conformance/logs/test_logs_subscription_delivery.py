"""Log events that match a subscription filter's pattern reach a function."""

import json
import time

import pytest
from botocore.exceptions import ClientError

PRINTER = (
    "import json\n"
    "def handler(event, context):\n"
    "    print(json.dumps({'Profile': event['n'], 'text': 'a line of its own'}))\n"
    "    print('Profile = 1')\n"
)
RECORDER = (
    "import json, os, boto3\n"
    "def handler(event, context):\n"
    "    boto3.client('sqs').send_message(QueueUrl=os.environ['TALLY'], MessageBody=json.dumps(event))\n"
)
ACCOUNT = "123456789012"


def test_a_function_receives_the_events_that_match_compressed(subscriptions, aws, group, recorder):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html"""
    function, received = recorder
    subscriptions.allow(aws("lambda"), function, group)
    subscriptions.subscribe(aws, group, function, "{ $.Profile = 1 }")
    answer = subscriptions.put(
        aws, group, '{"Profile": 2}', '{"Profile": 1, "n": 1}', "Profile = 1", '{"Profile": 1, "n": 2}'
    )
    assert "rejectedLogEventsInfo" not in answer
    (document,) = received()
    ids = [event.pop("id") for event in document["logEvents"]]
    stamps = [event.pop("timestamp") for event in document["logEvents"]]
    assert document == {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": group,
        "logStream": "s",
        "subscriptionFilters": ["filter"],
        "logEvents": [{"message": '{"Profile": 1, "n": 1}'}, {"message": '{"Profile": 1, "n": 2}'}],
    }
    assert len(set(ids)) == 2
    assert all(len(each) == 56 and each.isdecimal() for each in ids)
    assert all(abs(stamp / 1000 - time.time()) < 3600 for stamp in stamps)


def test_what_a_function_prints_reaches_the_function_behind_its_log_group(
    subscriptions, aws, deploy_function, recorder, unique_name, delete_later
):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html"""
    function, received = recorder
    printer = unique_name("printer")
    own_group = f"/aws/lambda/{printer}"
    aws("logs").create_log_group(logGroupName=own_group)
    delete_later(aws("logs").delete_log_group, logGroupName=own_group)
    subscriptions.allow(aws("lambda"), function, own_group)
    subscriptions.subscribe(aws, own_group, function, "{ $.Profile = 1 }")
    deploy_function(PRINTER, FunctionName=printer)
    for n in (1, 2, 1):
        aws("lambda").invoke(FunctionName=printer, Payload=json.dumps({"n": n}).encode())
    documents = received(events=2)
    messages = [json.loads(event["message"]) for document in documents for event in document["logEvents"]]
    assert messages == [{"Profile": 1, "text": "a line of its own"}] * 2
    assert {document["logGroup"] for document in documents} == {own_group}


def test_a_batch_has_events_of_one_stream(subscriptions, aws, group, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    function, received = recorder
    subscriptions.allow(aws("lambda"), function, group)
    subscriptions.subscribe(aws, group, function)
    aws("logs").create_log_stream(logGroupName=group, logStreamName="t")
    stamp = int(time.time() * 1000)
    for stream in ("s", "t"):
        aws("logs").put_log_events(
            logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": stamp, "message": stream}]
        )
    documents = received(at_least=2)
    assert sorted((each["logStream"], each["logEvents"][0]["message"]) for each in documents) == [
        ("s", "s"),
        ("t", "t"),
    ]


def test_a_large_batch_is_divided_so_that_a_function_accepts_it(subscriptions, aws, group, recorder):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    function, received = recorder
    subscriptions.allow(aws("lambda"), function, group)
    subscriptions.subscribe(aws, group, function)
    subscriptions.put(aws, group, *(f"{n}" * 200_000 for n in range(5)))
    documents = received(events=5)
    assert sorted(event["message"][0] for each in documents for event in each["logEvents"]) == list("01234")
    assert len(documents) > 1


def test_a_deleted_filter_delivers_nothing_more(subscriptions, aws, group, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteSubscriptionFilter.html"""
    function, received = recorder
    subscriptions.allow(aws("lambda"), function, group)
    subscriptions.subscribe(aws, group, function, name="gone")
    subscriptions.subscribe(aws, group, function, name="kept")
    aws("logs").delete_subscription_filter(logGroupName=group, filterName="gone")
    subscriptions.put(aws, group, "line")
    assert [each["subscriptionFilters"] for each in received()] == [["kept"]]
    with pytest.raises(ClientError, match="The specified subscription filter does not exist"):
        aws("logs").delete_subscription_filter(logGroupName=group, filterName="gone")


def test_a_delivery_that_is_not_allowed_pauses_the_filter_for_ten_minutes(
    subscriptions, stepped, zip_of, unique_name, eventually
):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions.html"""
    logs, functions, name = stepped.client("logs"), stepped.client("lambda"), unique_name("paused")
    url = stepped.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{subscriptions.make_role(stepped.client('iam'), name)}",
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": RECORDER})},
        Environment={"Variables": {"TALLY": url}},
        Timeout=30,
    )
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    subscriptions.allow(functions, name, name)
    logs.put_subscription_filter(
        logGroupName=name, filterName="f", filterPattern="", destinationArn=subscriptions.arn_of(name)
    )

    def write(message):
        now = int(stepped.cloud.clock.time() * 1000)
        events = [{"timestamp": now, "message": message}]
        logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
        stepped.advance(5)

    def message():
        received = stepped.client("sqs").receive_message(QueueUrl=url).get("Messages")
        return received and subscriptions.decoded(json.loads(received[0]["Body"]))["logEvents"][0]["message"]

    functions.remove_permission(FunctionName=name, StatementId="logs")
    write("denied")
    subscriptions.allow(functions, name, name)
    write("skipped")
    stepped.advance(600)
    write("delivered")
    assert eventually(message) == "delivered"


def test_a_throttled_delivery_is_repeated(subscriptions, stepped, zip_of, unique_name, eventually, monkeypatch):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions.html"""
    from serinus.offline.core.errors import AwsError

    logs, name = stepped.client("logs"), unique_name("throttled")
    functions = stepped.cloud.services.logs.functions
    accepted = []

    class Throttling:
        """Lambda, which accepts nothing at first."""

        def __init__(self):
            self.left = 3

        def allows(self, *_about, **_more):
            return True

        def log_group(self, *_about):
            return "another"

        async def invoke(self, function, qualifier, payload, **how):
            self.left -= 1
            if self.left > 0:
                raise AwsError("TooManyRequestsException", "Rate exceeded")
            accepted.append(
                (function, qualifier, subscriptions.decoded(json.loads(payload)), how["invocation_type"])
            )

    throttling = Throttling()
    assert functions is not throttling
    monkeypatch.setattr(stepped.cloud.services.logs, "functions", throttling)
    monkeypatch.setattr(stepped.cloud.services.logs.deliveries, "_functions", throttling)
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    logs.put_subscription_filter(
        logGroupName=name, filterName="f", filterPattern="", destinationArn=f"{subscriptions.arn_of(name)}:live"
    )
    now = int(stepped.cloud.clock.time() * 1000)
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=[{"timestamp": now, "message": "m"}])
    stepped.advance(1.5)
    assert accepted == []
    stepped.advance(10)
    ((function, qualifier, document, kind),) = accepted
    assert (function, qualifier, kind) == (name, "live", "Event")
    assert [event["message"] for event in document["logEvents"]] == ["m"]
