"""What alarms and functions' logs set off: Lambda actions, EventBridge events, embedded metrics."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from serinus.offline.cloud.stepped import SteppedCloud, stepped

ACCOUNT, REGION = "123456789012", "us-east-1"
FORWARD = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
"""
EMBED = """
import json, time
def handler(event, context):
    directive = {"Namespace": "App", "Dimensions": [["model"]], "Metrics": event["metrics"]}
    print(json.dumps({
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]},
        "model": "churn",
        **event["members"],
    }))
"""


class Stage:
    """A stepped cloud with a queue to look into, and functions."""

    def __init__(self, cloud: SteppedCloud) -> None:
        self.cloud = cloud
        self.sqs = cloud.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="seen")["QueueUrl"]
        self.queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:seen"
        allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": self.queue_arn}
        policy = json.dumps({"Statement": [allow]})
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
        self.functions = cloud.client("lambda")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        created = cloud.client("iam").create_role(
            RoleName="alarm-actions",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        everything = "arn:aws:iam::aws:policy/AdministratorAccess"
        cloud.client("iam").attach_role_policy(RoleName="alarm-actions", PolicyArn=everything)
        self.role = created["Role"]["Arn"]
        self.function("forward", FORWARD)
        self.function("embed", EMBED)

    def function(self, name: str, code: str) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as target:
            target.writestr("app.py", code)
        self.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self.role,
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
            Timeout=20,
            Environment={"Variables": {"QUEUE": self.queue}},
        )

    def seen(self) -> dict[str, Any]:
        """The next message in the queue."""

        def received() -> list[dict[str, Any]]:
            return list(self.sqs.receive_message(QueueUrl=self.queue).get("Messages", []))

        message = until(received)[0]
        self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return dict(json.loads(message["Body"]))

    def alarm(self, name: str, **settings: Any) -> None:
        self.cloud.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            AlarmDescription="of a test",
            Namespace="App",
            MetricName=name,
            Dimensions=[{"Name": "model", "Value": "churn"}],
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            **settings,
        )

    def set_state(self, name: str, state: str) -> None:
        self.cloud.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")

    def sum_of(self, namespace: str, name: str, **dimensions: str) -> float:
        now = self.cloud.time()
        points = self.cloud.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=datetime.fromtimestamp(now - 600, UTC),
            EndTime=datetime.fromtimestamp(now + 60, UTC),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))


def until(probe: Callable[[], Any]) -> Any:
    """What ``probe`` returns once it is true; functions answer in real time."""
    deadline = time.monotonic() + 30
    while not (found := probe()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with stepped() as cloud:
        yield Stage(cloud)


def test_a_function_as_action_gets_the_alarm(stage: Stage) -> None:
    """A Lambda action is invoked with the alarm's data, its states and its configuration.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:forward"
    stage.functions.add_permission(
        FunctionName="forward",
        StatementId="alarms",
        Action="lambda:InvokeFunction",
        Principal="lambda.alarms.cloudwatch.amazonaws.com",
    )
    stage.alarm("acting", AlarmActions=[function])
    stage.set_state("acting", "ALARM")
    event = stage.seen()
    assert (event["source"], event["accountId"], event["region"]) == ("aws.cloudwatch", ACCOUNT, REGION)
    assert event["alarmArn"] == f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:acting"
    data = event["alarmData"]
    assert (data["state"]["value"], data["previousState"]["value"]) == ("ALARM", "INSUFFICIENT_DATA")
    (metric,) = data["configuration"]["metrics"]
    assert metric["metricStat"]["metric"]["dimensions"] == {"model": "churn"}
    assert data["configuration"]["description"] == "of a test"


def test_a_function_must_let_alarms_invoke_it(stage: Stage) -> None:
    """Without a resource policy for lambda.alarms.cloudwatch.amazonaws.com the action fails.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
    """
    stage.alarm("forbidden", AlarmActions=[f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:embed"])
    stage.set_state("forbidden", "ALARM")
    history = stage.cloud.client("cloudwatch").describe_alarm_history(
        AlarmName="forbidden", HistoryItemType="Action"
    )
    (item,) = history["AlarmHistoryItems"]
    assert item["HistorySummary"].startswith("Failed to execute action")
    assert json.loads(item["HistoryData"])["actionState"] == "Failed"


def test_a_change_of_state_is_an_event(stage: Stage) -> None:
    """CloudWatch sends an event to EventBridge whenever an alarm changes its state.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    events = stage.cloud.client("events")
    pattern = {"source": ["aws.cloudwatch"], "detail": {"alarmName": ["announced"], "state": {"value": ["ALARM"]}}}
    events.put_rule(Name="alarms", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="alarms", Targets=[{"Id": "queue", "Arn": stage.queue_arn}])
    stage.alarm("announced")
    stage.set_state("announced", "OK")
    stage.set_state("announced", "ALARM")
    event = stage.seen()
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"] == [f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:announced"]
    assert event["detail"]["state"]["value"] == "ALARM"
    assert event["detail"]["previousState"]["value"] == "OK"


def test_metrics_embedded_in_a_functions_log_can_alarm(stage: Stage) -> None:
    """CloudWatch extracts metrics from log lines in the embedded metric format.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    stage.alarm("drift")
    order = {"metrics": [{"Name": "drift", "Unit": "Count"}], "members": {"drift": [1, 2, 3]}}
    stage.functions.invoke(FunctionName="embed", Payload=json.dumps(order))
    until(lambda: stage.sum_of("App", "drift", model="churn") == 6)
    stage.cloud.advance(minutes=1)
    (alarm,) = stage.cloud.client("cloudwatch").describe_alarms(AlarmNames=["drift"])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"


def test_an_invalid_document_gives_no_metric_and_is_counted(stage: Stage) -> None:
    """An EMF document that violates the specification yields no metrics; EMFValidationErrors counts it.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
    """
    order = {"metrics": [{"Name": "good"}, {"Name": "bad"}], "members": {"good": 1, "bad": "text"}}
    stage.functions.invoke(FunctionName="embed", Payload=json.dumps(order))
    until(lambda: stage.sum_of("AWS/Logs", "EMFValidationErrors", LogGroupName="/aws/lambda/embed") == 1)
    assert stage.sum_of("App", "good", model="churn") == 0


def test_embedded_metrics_can_have_high_resolution(stage: Stage) -> None:
    """StorageResolution 1 keeps an embedded metric by the second.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    order = {"metrics": [{"Name": "fine", "StorageResolution": 1}], "members": {"fine": 1}}
    stage.functions.invoke(FunctionName="embed", Payload=json.dumps(order))
    until(lambda: stage.sum_of("App", "fine", model="churn") == 1)
    now = stage.cloud.time()
    points = stage.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="App",
        MetricName="fine",
        Dimensions=[{"Name": "model", "Value": "churn"}],
        StartTime=datetime.fromtimestamp(now - 60, UTC),
        EndTime=datetime.fromtimestamp(now + 60, UTC),
        Period=1,
        Statistics=["Sum"],
    )["Datapoints"]
    assert [point["Timestamp"].timestamp() for point in points] == [pytest.approx(now, abs=1)]
