"""Which subscription filters a log group may have, and who may be their function."""

import time

import pytest
from botocore.exceptions import ClientError

REFUSED = (
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
    "function."
)
ACCOUNT = "123456789012"
REGION = "us-east-1"


@pytest.mark.parametrize(
    ("granted", "allowed"),
    [
        ({}, True),
        ({"principal": f"logs.{REGION}.amazonaws.com"}, True),
        ({"principal": "events.amazonaws.com"}, False),
        ({"SourceAccount": "999999999999"}, False),
        ({"SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:another:*"}, False),
        ({"SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"}, True),
    ],
)
def test_a_filter_needs_the_functions_permission(subscriptions, aws, group, deploy_function, granted, allowed):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html"""
    function = deploy_function("def handler(event, context):\n    pass\n")
    with pytest.raises(ClientError, match=REFUSED):
        subscriptions.subscribe(aws, group, function)
    subscriptions.allow(aws("lambda"), function, group, **granted)
    if allowed:
        subscriptions.subscribe(aws, group, function)
    else:
        with pytest.raises(ClientError, match=f"InvalidParameterException.*{REFUSED}"):
            subscriptions.subscribe(aws, group, function)


def test_a_permission_for_the_group_without_its_last_star_does_not_apply(
    subscriptions, aws, group, deploy_function
):
    """Source: https://github.com/hashicorp/terraform-provider-aws/pull/16162"""
    function = deploy_function("def handler(event, context):\n    pass\n")
    subscriptions.allow(
        aws("lambda"), function, group, SourceArn=subscriptions.group_arn(group).removesuffix(":*")
    )
    with pytest.raises(ClientError, match=REFUSED):
        subscriptions.subscribe(aws, group, function)


def test_a_function_that_does_not_exist_cannot_be_executed(subscriptions, aws, group):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    with pytest.raises(ClientError, match=f"InvalidParameterException.*{REFUSED}"):
        subscriptions.subscribe(aws, group, "nobody")


def test_a_role_does_not_belong_to_a_function(subscriptions, aws, group, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    function, _ = recorder
    subscriptions.allow(aws("lambda"), function, group)
    with pytest.raises(ClientError, match="destinationArn for vendor lambda cannot be used with roleArn"):
        subscriptions.subscribe(aws, group, function, roleArn=f"arn:aws:iam::{ACCOUNT}:role/r")


def test_a_log_group_has_two_filters_at_most_and_each_can_be_changed(subscriptions, aws, group, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
    function, _ = recorder
    subscriptions.allow(aws("lambda"), function, group)
    for name in ("b", "a"):
        subscriptions.subscribe(aws, group, function, name=name)
    with pytest.raises(ClientError, match=r"LimitExceededException.*Resource limit exceeded\."):
        subscriptions.subscribe(aws, group, function, name="c")
    subscriptions.subscribe(aws, group, function, "{ $.n = 1 }", name="a")
    listed = aws("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert [(each["filterName"], each["filterPattern"]) for each in listed] == [("a", "{ $.n = 1 }"), ("b", "")]
    assert listed[0]["destinationArn"] == subscriptions.arn_of(function)
    assert listed[0]["distribution"] == "ByLogStream"
    assert "roleArn" not in listed[0]


def test_filters_are_listed_by_prefix_and_in_pages(subscriptions, aws, group, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeSubscriptionFilters.html"""
    function, _ = recorder
    subscriptions.allow(aws("lambda"), function, group)
    for name in ("ab", "b"):
        subscriptions.subscribe(aws, group, function, name=name)
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


def test_filters_of_a_log_group_that_does_not_exist(subscriptions, aws, recorder):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    function, _ = recorder
    for call, more in (
        (
            aws("logs").put_subscription_filter,
            {"filterPattern": "", "destinationArn": subscriptions.arn_of(function)},
        ),
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
def test_other_filters_are_refused_by_name(subscriptions, aws, group, recorder, settings, what):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html"""
    function, _ = recorder
    subscriptions.allow(aws("lambda"), function, group)
    parameters = {
        "logGroupName": group,
        "filterName": "f",
        "filterPattern": "",
        "destinationArn": subscriptions.arn_of(function),
        **settings,
    }
    with pytest.raises(ClientError, match="The offline cloud does not model logs:") as refusal:
        aws("logs").put_subscription_filter(**parameters)
    assert what in str(refusal.value)


def test_a_filter_that_sends_a_function_its_own_log_is_refused_by_name(subscriptions, aws, recorder, delete_later):
    """A loop without end, against which AWS advises.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions-recursion-prevention.html
    """
    function, _ = recorder
    group = f"/aws/lambda/{function}"
    aws("logs").create_log_group(logGroupName=group)
    delete_later(aws("logs").delete_log_group, logGroupName=group)
    subscriptions.allow(aws("lambda"), function, group)
    with pytest.raises(ClientError, match="does not model logs: a filter that sends a function its own log"):
        subscriptions.subscribe(aws, group, function)


def test_metric_filters_are_refused_by_name(aws):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html"""
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    with pytest.raises(ClientError, match="does not model logs:PutMetricFilter"):
        aws("logs").put_metric_filter(
            logGroupName="g", filterName="f", filterPattern="", metricTransformations=[metric]
        )
    with pytest.raises(ClientError, match="does not model logs:TestMetricFilter"):
        aws("logs").test_metric_filter(filterPattern="", logEventMessages=["m"])
