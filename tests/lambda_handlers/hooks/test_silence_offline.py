"""The alarm on a silent judge, in a cloud whose time runs much faster than its functions do."""

import io
import json
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from serinus.infra.alarm_plan import PlannedAlarm, plan_alarms
from serinus.infra.settings import EndpointSettings
from serinus.lambda_handlers.contract import release
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.readings import Readings, Seconds

pytestmark = [pytest.mark.cloud, pytest.mark.slow]

#: Cloud seconds in a real one: a judge that takes `LOOK_S` to answer would be silent for six minutes.
SPEED = 600
LOOK_S = 0.6
PATIENCE_S = 120.0
SPEAKS = "speaks"
JUDGE = f"""
import sys, time
from datetime import datetime
sys.path.append({sysconfig.get_paths()["purelib"]!r})

def handler(event, context):
    time.sleep({LOOK_S})
    if {SPEAKS!r} in context.function_name:
        import boto3
        datum = {{"MetricName": "{release.METRIC_VERDICT}", "Value": 1, "Timestamp": event["time"]}}
        datum["Dimensions"] = [{{"Name": "FunctionName", "Value": context.function_name}}]
        boto3.client("cloudwatch").put_metric_data(Namespace="Serinus", MetricData=[datum])
"""


def silence() -> PlannedAlarm:
    return next(alarm for alarm in plan_alarms(EndpointSettings()) if alarm.name == "Silence")


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running(
        CloudConfig(port=0, clock_factor=SPEED, readings=Readings(metric_delay=Seconds(30, 30)))
    ) as cloud:
        yield cloud


class Judged:
    """A judge on its schedule under the alarm as it is planned; what has requests is the schedule's own metric,
    which is never late."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self._cloud, self.name = cloud, name
        self.cloudwatch = cloud.client("cloudwatch")
        self._put_alarm(silence())
        self._put_judge()

    def _put_alarm(self, planned: PlannedAlarm) -> None:
        def metric(name: str, namespace: str, metric: str, dimension: str, statistic: str) -> dict[str, Any]:
            named = {"Namespace": namespace, "MetricName": metric}
            dimensions = [{"Name": dimension, "Value": self.name}]
            stat = {"Metric": {**named, "Dimensions": dimensions}, "Period": planned.period_s, "Stat": statistic}
            return {"Id": name, "MetricStat": stat, "ReturnData": False}

        # A split: the alias has twice the requests of the new version.
        total = {"Id": "total", "Expression": "2 * invoked", "ReturnData": False}

        self.cloudwatch.put_metric_alarm(
            AlarmName=self.name,
            Metrics=[
                metric("invoked", "AWS/Events", "TriggeredRules", "RuleName", "Sum"),
                total,
                metric("verdicts", "Serinus", release.METRIC_VERDICT, "FunctionName", "SampleCount"),
                {"Id": "silent", "Expression": planned.expression, "ReturnData": True},
            ],
            Threshold=planned.threshold,
            EvaluationPeriods=planned.periods,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
        )

    def _put_judge(self) -> None:
        principal = {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        iam, functions, events = (self._cloud.client(service) for service in ("iam", "lambda", "events"))
        role = iam.create_role(
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [principal]}),
        )["Role"]["Arn"]
        iam.attach_role_policy(RoleName=self.name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", JUDGE)
        arn = functions.create_function(
            FunctionName=self.name,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": code.getvalue()},
            Timeout=60,
        )["FunctionArn"]
        functions.add_permission(
            FunctionName=self.name,
            StatementId="s",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
        )
        # On the minute: in its second half, the metric's delay would hide each look from that minute's evaluation.
        events.put_rule(Name=self.name, ScheduleExpression="cron(* * * * ? *)")
        events.put_targets(Rule=self.name, Targets=[{"Id": "1", "Arn": arn}])

    def pass_minutes(self, minutes: float) -> None:
        clock, deadline = self._cloud.clock, time.monotonic() + PATIENCE_S
        until = clock.time() + 60 * minutes
        while clock.time() < until and self.state != "ALARM":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self._cloud.client("events").disable_rule(Name=self.name)

    @property
    def state(self) -> str:
        (alarm,) = self.cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return str(alarm["StateValue"])


def test_a_judge_that_this_machine_is_slow_to_run_is_not_taken_for_silent(cloud: Cloud) -> None:
    judged = Judged(cloud, SPEAKS)
    judged.pass_minutes(silence().periods + 4)
    assert judged.state == "OK"
    assert cloud.clock.held_s > LOOK_S


def test_a_judge_that_says_nothing_fires_the_alarm(cloud: Cloud) -> None:
    judged = Judged(cloud, "mute")
    # Ends with the alarm. Where this machine skips a beat, a minute goes by without the schedule's metric.
    judged.pass_minutes(20 * silence().periods)
    assert judged.state == "ALARM"
