"""The metrics of AWS/Lambda: names, dimensions, what counts."""

import time
from datetime import UTC, datetime, timedelta

import pytest

HANDLER = "def handler(event, context):\n    if event.get('fail'):\n        raise ValueError('x')\n    return 1\n"
EMITTER = (
    "import json, time\n"
    "def handler(event, context):\n"
    "    print(json.dumps({'_aws': {'Timestamp': int(time.time() * 1000), 'CloudWatchMetrics': [{'Namespace':\n"
    "        event['ns'], 'Dimensions': [['bird']], 'Metrics': [{'Name': 'Songs', 'Unit': 'Count'}]}]},\n"
    "        'bird': 'canary', 'Songs': 3}))\n"
)


@pytest.fixture
def total(aws):
    """The sum of a metric over the last hour; waits until there is one."""

    def read(name, dimensions, namespace="AWS/Lambda", statistic="Sum", wait=True):
        deadline = time.monotonic() + (10 if wait else 0)
        while True:
            found = aws("cloudwatch").get_metric_statistics(
                Namespace=namespace,
                MetricName=name,
                Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
                StartTime=datetime.now(UTC) - timedelta(hours=1),
                EndTime=datetime.now(UTC) + timedelta(hours=1),
                Period=7200 if statistic == "Sum" else 60,
                Statistics=[statistic],
            )["Datapoints"]
            if found or time.monotonic() >= deadline:
                return sum(point[statistic] for point in found) if found else None
            time.sleep(0.02)

    return read


@pytest.fixture
def weighted(aws, deploy_function):
    """A function with two versions behind alias ``live``: all traffic goes to version 2."""
    functions, name = aws("lambda"), deploy_function(HANDLER, Publish=True)
    functions.update_function_configuration(FunctionName=name, Timeout=8)
    functions.publish_version(FunctionName=name)
    weights = {"AdditionalVersionWeights": {"2": 1.0}}
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig=weights)
    return name


def test_invocations_and_errors_are_counted_by_function(aws, deploy_function, total):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"""
    name = deploy_function(HANDLER)
    for payload in (b"{}", b"{}", b'{"fail": true}'):
        aws("lambda").invoke(FunctionName=name, Payload=payload)
    assert total("Invocations", {"FunctionName": name}) == 3
    assert total("Errors", {"FunctionName": name}) == 1
    assert total("Duration", {"FunctionName": name}) > 0


@pytest.mark.parametrize(("reading", "counted"), [("always", 2), ("while-weighted", 1)])
def test_resource_is_the_alias_and_executed_version_its_version(
    aws, cloud, play, weighted, total, reading, counted
):
    """A call by alias counts for the alias, and for its version: always, or while it has weights (a reading).

    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
    """
    play(cloud, executed_version=reading)
    functions = aws("lambda")
    functions.invoke(FunctionName=weighted, Qualifier="live")
    alias = {"FunctionName": weighted, "Resource": f"{weighted}:live"}
    assert total("Invocations", alias) == 1
    assert total("Invocations", {**alias, "ExecutedVersion": "2"}) == 1
    functions.update_alias(FunctionName=weighted, Name="live", FunctionVersion="2", RoutingConfig={})
    functions.invoke(FunctionName=weighted, Qualifier="live")
    assert total("Invocations", alias) == 2
    assert total("Invocations", {**alias, "ExecutedVersion": "2"}) == counted


@pytest.mark.parametrize(("reading", "counted"), [("absent", None), ("present", 1)])
def test_a_throttled_call_counts_for_its_alias(aws, cloud, play, weighted, total, reading, counted):
    """A throttled call by alias counts for the alias; whether for a version too is a reading.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    play(cloud, throttled_version=reading)
    functions = aws("lambda")
    functions.put_function_concurrency(FunctionName=weighted, ReservedConcurrentExecutions=0)
    with pytest.raises(functions.exceptions.TooManyRequestsException):
        functions.invoke(FunctionName=weighted, Qualifier="live")
    alias = {"FunctionName": weighted, "Resource": f"{weighted}:live"}
    assert total("Throttles", alias) == 1
    assert total("Throttles", {**alias, "ExecutedVersion": "2"}, wait=False) == counted


def test_a_version_invoked_directly_reports_under_its_number(aws, weighted, total):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html"""
    aws("lambda").invoke(FunctionName=weighted, Qualifier="1")
    by_number = {"FunctionName": weighted, "Resource": f"{weighted}:1"}
    assert total("Invocations", by_number) == 1
    assert total("Invocations", {**by_number, "ExecutedVersion": "1"}, wait=False) is None


def test_a_throttled_request_is_no_invocation(aws, deploy_function, total):
    """A throttled request does not count as an invocation.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    functions, name = aws("lambda"), deploy_function(HANDLER)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(functions.exceptions.TooManyRequestsException):
        functions.invoke(FunctionName=name)
    assert total("Throttles", {"FunctionName": name}) == 1
    assert total("Invocations", {"FunctionName": name}, wait=False) is None


def test_concurrent_executions_are_measured(aws, deploy_function, total):
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html"""
    name = deploy_function(HANDLER)
    aws("lambda").invoke(FunctionName=name)
    assert total("ConcurrentExecutions", {"FunctionName": name}, statistic="Maximum") == 1


def test_metrics_embedded_in_logs_are_extracted(aws, deploy_function, total, unique_name):
    """Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html"""
    namespace = unique_name("Birds")
    aws("lambda").invoke(FunctionName=deploy_function(EMITTER), Payload=f'{{"ns": "{namespace}"}}'.encode())
    assert total("Songs", {"bird": "canary"}, namespace=namespace) == 3
