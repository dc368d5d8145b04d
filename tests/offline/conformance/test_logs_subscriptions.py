"""Subscription filters: log events that match a pattern reach a function."""

import base64
import gzip
import json
import time

import pytest
from botocore.exceptions import ClientError

REFUSED = (
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
    "function."
)
#: Sends each event that it receives to a queue.
RECORDER = (
    "import json, os, boto3\n"
    "def handler(event, context):\n"
    "    boto3.client('sqs').send_message(QueueUrl=os.environ['TALLY'], MessageBody=json.dumps(event))\n"
)
PRINTER = (
    "import json\n"
    "def handler(event, context):\n"
    "    print(json.dumps({'Profile': event['n'], 'text': 'a line of its own'}))\n"
    "    print('Profile = 1')\n"
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


def subscribe(aws, group, function, pattern="", name="filter", **more):
    aws("logs").put_subscription_filter(
        logGroupName=group, filterName=name, filterPattern=pattern, destinationArn=arn_of(function), **more
    )


def put(aws, group, *messages):
    events = [{"timestamp": int(time.time() * 1000), "message": message} for message in messages]
    return aws("logs").put_log_events(logGroupName=group, logStreamName="s", logEvents=events)


def test_a_function_receives_the_events_that_match_compressed(aws, group, recorder):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html"""
    function, received = recorder
    allow(aws("lambda"), function, group)
    subscribe(aws, group, function, "{ $.Profile = 1 }")
    answer = put(aws, group, '{"Profile": 2}', '{"Profile": 1, "n": 1}', "Profile = 1", '{"Profile": 1, "n": 2}')
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
    aws, deploy_function, recorder, unique_name, delete_later
):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html"""
    function, received = recorder
    printer = unique_name("printer")
    own_group = f"/aws/lambda/{printer}"
    aws("logs").create_log_group(logGroupName=own_group)
    delete_later(aws("logs").delete_log_group, logGroupName=own_group)
    allow(aws("lambda"), function, own_group)
    subscribe(aws, own_group, function, "{ $.Profile = 1 }")
    deploy_function(PRINTER, FunctionName=printer)
    for n in (1, 2, 1):
        aws("lambda").invoke(FunctionName=printer, Payload=json.dumps({"n": n}).encode())
    documents = received(events=2)
    messages = [json.loads(event["message"]) for document in documents for event in document["logEvents"]]
    assert messages == [{"Profile": 1, "text": "a line of its own"}] * 2
    assert {document["logGroup"] for document in documents} == {own_group}


def test_a_batch_has_events_of_one_stream(aws, group, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    function, received = recorder
    allow(aws("lambda"), function, group)
    subscribe(aws, group, function)
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


def test_a_large_batch_is_divided_so_that_a_function_accepts_it(aws, group, recorder):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    function, received = recorder
    allow(aws("lambda"), function, group)
    subscribe(aws, group, function)
    put(aws, group, *(f"{n}" * 200_000 for n in range(5)))
    documents = received(events=5)
    assert sorted(event["message"][0] for each in documents for event in each["logEvents"]) == list("01234")
    assert len(documents) > 1


@pytest.mark.parametrize(
    ("granted", "allowed"),
    [
        ({}, True),
        ({"principal": f"logs.{REGION}.amazonaws.com"}, True),
        ({"principal": "events.amazonaws.com"}, False),
        ({"SourceAccount": "999999999999"}, False),
        ({"SourceArn": group_arn("another")}, False),
        ({"SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"}, True),
    ],
)
def test_a_filter_needs_the_functions_permission(aws, group, deploy_function, granted, allowed):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html"""
    function = deploy_function("def handler(event, context):\n    pass\n")
    with pytest.raises(ClientError, match=REFUSED):
        subscribe(aws, group, function)
    allow(aws("lambda"), function, group, **granted)
    if allowed:
        subscribe(aws, group, function)
    else:
        with pytest.raises(ClientError, match=f"InvalidParameterException.*{REFUSED}"):
            subscribe(aws, group, function)


def test_a_permission_for_the_group_without_its_last_star_does_not_apply(aws, group, deploy_function):
    """Source: https://github.com/hashicorp/terraform-provider-aws/pull/16162"""
    function = deploy_function("def handler(event, context):\n    pass\n")
    allow(aws("lambda"), function, group, SourceArn=group_arn(group).removesuffix(":*"))
    with pytest.raises(ClientError, match=REFUSED):
        subscribe(aws, group, function)


def test_a_function_that_does_not_exist_cannot_be_executed(aws, group):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    with pytest.raises(ClientError, match=f"InvalidParameterException.*{REFUSED}"):
        subscribe(aws, group, "nobody")


def test_a_role_does_not_belong_to_a_function(aws, group, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    function, _ = recorder
    allow(aws("lambda"), function, group)
    with pytest.raises(ClientError, match="destinationArn for vendor lambda cannot be used with roleArn"):
        subscribe(aws, group, function, roleArn=f"arn:aws:iam::{ACCOUNT}:role/r")


def test_a_log_group_has_two_filters_at_most_and_each_can_be_changed(aws, group, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
    function, _ = recorder
    allow(aws("lambda"), function, group)
    for name in ("b", "a"):
        subscribe(aws, group, function, name=name)
    with pytest.raises(ClientError, match=r"LimitExceededException.*Resource limit exceeded\."):
        subscribe(aws, group, function, name="c")
    subscribe(aws, group, function, "{ $.n = 1 }", name="a")
    listed = aws("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert [(each["filterName"], each["filterPattern"]) for each in listed] == [("a", "{ $.n = 1 }"), ("b", "")]
    assert listed[0]["destinationArn"] == arn_of(function)
    assert listed[0]["distribution"] == "ByLogStream"
    assert "roleArn" not in listed[0]


def test_filters_are_listed_by_prefix_and_in_pages(aws, group, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeSubscriptionFilters.html"""
    function, _ = recorder
    allow(aws("lambda"), function, group)
    for name in ("ab", "b"):
        subscribe(aws, group, function, name=name)
    describe = aws("logs").describe_subscription_filters
    found = describe(logGroupName=group, filterNamePrefix="a")["subscriptionFilters"]
    assert [each["filterName"] for each in found] == ["ab"]
    first = describe(logGroupName=group, limit=1)
    rest = describe(logGroupName=group, limit=1, nextToken=first["nextToken"])
    assert [each["filterName"] for each in first["subscriptionFilters"] + rest["subscriptionFilters"]] == [
        "ab",
        "b",
    ]
    assert "nextToken" not in rest
    with pytest.raises(ClientError, match="InvalidParameterException"):
        describe(logGroupName=group, nextToken="none")


def test_a_deleted_filter_delivers_nothing_more(aws, group, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteSubscriptionFilter.html"""
    function, received = recorder
    allow(aws("lambda"), function, group)
    subscribe(aws, group, function, name="gone")
    subscribe(aws, group, function, name="kept")
    aws("logs").delete_subscription_filter(logGroupName=group, filterName="gone")
    put(aws, group, "line")
    assert [each["subscriptionFilters"] for each in received()] == [["kept"]]
    with pytest.raises(ClientError, match="The specified subscription filter does not exist"):
        aws("logs").delete_subscription_filter(logGroupName=group, filterName="gone")


def test_filters_of_a_log_group_that_does_not_exist(aws, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    function, _ = recorder
    for call, more in (
        (aws("logs").put_subscription_filter, {"filterPattern": "", "destinationArn": arn_of(function)}),
        (aws("logs").delete_subscription_filter, {}),
    ):
        with pytest.raises(
            ClientError, match=r"ResourceNotFoundException.*The specified log group does not exist\."
        ):
            call(logGroupName="nowhere", filterName="f", **more)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws("logs").describe_subscription_filters(logGroupName="nowhere")


def test_log_events_go_to_a_stream_that_exists_in_order_of_time(aws, group):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": "b"}, {"timestamp": now - 1, "message": "a"}]
    with pytest.raises(ClientError, match=r"InvalidParameterException.*chronological"):
        aws("logs").put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    with pytest.raises(ClientError, match=r"ResourceNotFoundException.*The specified log stream does not exist\."):
        aws("logs").put_log_events(logGroupName=group, logStreamName="t", logEvents=events[:1])
    old = [{"timestamp": now - 20 * 86_400_000, "message": "old"}, {"timestamp": now, "message": "new"}]
    answer = aws("logs").put_log_events(logGroupName=group, logStreamName="s", logEvents=old)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 0}
    (stream,) = aws("logs").describe_log_streams(logGroupName=group)["logStreams"]
    stored = aws("logs").get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert [each["message"] for each in stored] == ["new"]


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"filterPattern": "ERROR"}, "terms"),
        ({"filterPattern": "{ $.a > 1 }"}, "the operator >"),
        (
            {"destinationArn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s"},
            "subscription filters to arn:aws:kinesis",
        ),
        ({"destinationArn": f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/s"}, "arn:aws:firehose"),
        ({"distribution": "Random"}, "the distribution Random"),
        ({"applyOnTransformedLogs": True}, "applyOnTransformedLogs"),
        ({"emitSystemFields": ["@aws.region"]}, "emitSystemFields"),
        ({"fieldSelectionCriteria": '@aws.region = "x"'}, "fieldSelectionCriteria"),
    ],
)
def test_other_filters_are_refused_by_name(aws, group, recorder, settings, what):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    function, _ = recorder
    allow(aws("lambda"), function, group)
    parameters = {
        "logGroupName": group,
        "filterName": "f",
        "filterPattern": "",
        "destinationArn": arn_of(function),
        **settings,
    }
    with pytest.raises(ClientError, match="The offline cloud does not model logs:") as refusal:
        aws("logs").put_subscription_filter(**parameters)
    assert what in str(refusal.value)


def test_a_filter_that_sends_a_function_its_own_log_is_refused_by_name(aws, recorder, delete_later):
    """A loop without end, against which AWS advises.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions-recursion-prevention.html
    """
    function, _ = recorder
    group = f"/aws/lambda/{function}"
    aws("logs").create_log_group(logGroupName=group)
    delete_later(aws("logs").delete_log_group, logGroupName=group)
    allow(aws("lambda"), function, group)
    with pytest.raises(ClientError, match="does not model logs: a filter that sends a function its own log"):
        subscribe(aws, group, function)


def test_metric_filters_are_refused_by_name(aws):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html"""
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    with pytest.raises(ClientError, match="does not model logs:PutMetricFilter"):
        aws("logs").put_metric_filter(
            logGroupName="g", filterName="f", filterPattern="", metricTransformations=[metric]
        )
    with pytest.raises(ClientError, match="does not model logs:TestMetricFilter"):
        aws("logs").test_metric_filter(filterPattern="", logEventMessages=["m"])


def test_a_delivery_that_is_not_allowed_pauses_the_filter_for_ten_minutes(
    stepped, zip_of, unique_name, eventually
):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions.html"""
    logs, functions, name = stepped.client("logs"), stepped.client("lambda"), unique_name("paused")
    url = stepped.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{make_role(stepped.client('iam'), name)}",
        Handler="app.handler",
        Code={"ZipFile": zip_of({"app.py": RECORDER})},
        Environment={"Variables": {"TALLY": url}},
        Timeout=30,
    )
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    allow(functions, name, name)
    logs.put_subscription_filter(logGroupName=name, filterName="f", filterPattern="", destinationArn=arn_of(name))

    def write(message):
        now = int(stepped.cloud.clock.time() * 1000)
        events = [{"timestamp": now, "message": message}]
        logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
        stepped.advance(5)

    def message():
        received = stepped.client("sqs").receive_message(QueueUrl=url).get("Messages")
        return received and decoded(json.loads(received[0]["Body"]))["logEvents"][0]["message"]

    functions.remove_permission(FunctionName=name, StatementId="logs")
    write("denied")
    allow(functions, name, name)
    write("skipped")
    stepped.advance(600)
    write("delivered")
    assert eventually(message) == "delivered"


def test_a_throttled_delivery_is_repeated(stepped, zip_of, unique_name, eventually, monkeypatch):
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
            accepted.append((function, qualifier, decoded(json.loads(payload)), how["invocation_type"]))

    throttling = Throttling()
    assert functions is not throttling
    monkeypatch.setattr(stepped.cloud.services.logs, "functions", throttling)
    monkeypatch.setattr(stepped.cloud.services.logs.deliveries, "_functions", throttling)
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    logs.put_subscription_filter(
        logGroupName=name, filterName="f", filterPattern="", destinationArn=f"{arn_of(name)}:live"
    )
    now = int(stepped.cloud.clock.time() * 1000)
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=[{"timestamp": now, "message": "m"}])
    stepped.advance(1.5)
    assert accepted == []
    stepped.advance(10)
    ((function, qualifier, document, kind),) = accepted
    assert (function, qualifier, kind) == (name, "live", "Event")
    assert [event["message"] for event in document["logEvents"]] == ["m"]


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


def test_a_stack_makes_changes_and_deletes_a_filter(aws, stacks, recorder, unique_name):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-subscriptionfilter.html"""
    function, received = recorder
    group = unique_name("group")

    def template(pattern):
        return {
            "Resources": {
                "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": group}},
                "Permission": {
                    "Type": "AWS::Lambda::Permission",
                    "Properties": {
                        "FunctionName": function,
                        "Action": "lambda:InvokeFunction",
                        "Principal": "logs.amazonaws.com",
                        "SourceAccount": {"Ref": "AWS::AccountId"},
                    },
                },
                "Filter": {
                    "Type": "AWS::Logs::SubscriptionFilter",
                    "DependsOn": "Permission",
                    "Properties": {
                        "LogGroupName": {"Ref": "Group"},
                        "FilterPattern": pattern,
                        "DestinationArn": arn_of(function),
                    },
                },
            },
            "Outputs": {"Name": {"Value": {"Ref": "Filter"}}},
        }

    stack = stacks.create(template("{ $.n = 1 }"))
    assert stacks.status(stack) == "CREATE_COMPLETE", stacks.events(stack)
    name = stacks.outputs(stack)["Name"]
    (found,) = aws("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert (found["filterName"], found["filterPattern"]) == (name, "{ $.n = 1 }")
    assert stacks.update(stack, template("{ $.n = 2 }")) == "UPDATE_COMPLETE"
    (found,) = aws("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert (found["filterName"], found["filterPattern"]) == (name, "{ $.n = 2 }")
    aws("logs").create_log_stream(logGroupName=group, logStreamName="s")
    put(aws, group, '{"n": 1}', '{"n": 2}')
    assert [event["message"] for event in received()[0]["logEvents"]] == ['{"n": 2}']
    without = template("")
    del without["Resources"]["Filter"], without["Outputs"]
    assert stacks.update(stack, without) == "UPDATE_COMPLETE"
    assert aws("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"] == []


def test_a_stack_without_the_permission_fails_with_the_services_message(aws, stacks, group, deploy_function):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-subscriptionfilter.html"""
    function = deploy_function("def handler(event, context):\n    pass\n")
    properties = {"LogGroupName": group, "FilterPattern": "", "DestinationArn": arn_of(function)}
    stack = stacks.create(
        {"Resources": {"F": {"Type": "AWS::Logs::SubscriptionFilter", "Properties": properties}}}
    )
    assert stacks.status(stack) == "ROLLBACK_COMPLETE"
    assert any("Could not execute the lambda function" in reason for _, _, reason in stacks.events(stack))


def test_a_stack_removes_a_log_groups_retention(aws, stacks, unique_name):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteRetentionPolicy.html"""
    group = unique_name("group")

    def template(**retention):
        properties = {"LogGroupName": group, **retention}
        return {"Resources": {"Group": {"Type": "AWS::Logs::LogGroup", "Properties": properties}}}

    def described():
        (found,) = aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        return found.get("retentionInDays")

    stack = stacks.create(template(RetentionInDays=7))
    assert described() == 7
    assert stacks.update(stack, template()) == "UPDATE_COMPLETE"
    assert described() is None, "DeleteRetentionPolicy"
