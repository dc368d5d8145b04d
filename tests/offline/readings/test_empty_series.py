"""FILL over a metric that never had a value fills it, or yields nothing; a metric that had one is filled."""

from collections.abc import Iterator
from typing import Any

import pytest

from serinus.offline.cloud.stepped import SteppedCloud, stepped
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.readings import Readings


@pytest.fixture(params=["filled", "not-filled"])
def playing(request: pytest.FixtureRequest) -> Iterator[tuple[SteppedCloud, str]]:
    readings = Readings().replaced({"empty-series": request.param})
    with stepped(CloudConfig(readings=readings)) as cloud:
        yield cloud, request.param


def stat(name: str) -> dict[str, Any]:
    return {"Metric": {"Namespace": "App", "MetricName": name}, "Period": 60, "Stat": "Sum"}


def queries(expression: str) -> list[dict[str, Any]]:
    return [
        {"Id": "answered", "MetricStat": stat("answered"), "ReturnData": False},
        {"Id": "invoked", "MetricStat": stat("invoked"), "ReturnData": False},
        {"Id": "e", "Expression": expression},
    ]


def values(cloud: SteppedCloud, expression: str) -> list[float]:
    """The expression's values of the last three whole minutes, newest first."""
    end = cloud.time() // 60 * 60
    (result,) = cloud.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries(expression), StartTime=end - 180, EndTime=end
    )["MetricDataResults"]
    return list(result["Values"])


def put(cloud: SteppedCloud, name: str, value: float) -> None:
    cloud.client("cloudwatch").put_metric_data(Namespace="App", MetricData=[{"MetricName": name, "Value": value}])


def test_a_metric_without_any_value(playing: tuple[SteppedCloud, str]) -> None:
    cloud, reading = playing
    assert values(cloud, "FILL(answered, 0)") == ([0.0] * 3 if reading == "filled" else [])
    put(cloud, "answered", 4)
    cloud.advance(minutes=20)
    assert values(cloud, "FILL(answered, 0)") == [0.0] * 3


def test_one_metric_that_exists_fills_what_is_computed_of_both(playing: tuple[SteppedCloud, str]) -> None:
    cloud, _ = playing
    put(cloud, "invoked", 4)
    cloud.advance(minutes=1)
    assert values(cloud, "FILL(invoked - answered, 1)") == [4.0, 1.0, 1.0]


def test_an_alarm_that_fills_the_answers_sees_crashes_or_none(playing: tuple[SteppedCloud, str]) -> None:
    cloud, reading = playing
    cloudwatch = cloud.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="crashes",
        Metrics=queries("FILL(answered, 0) < 1"),
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0,
        EvaluationPeriods=1,
        TreatMissingData="notBreaching",
    )
    put(cloud, "invoked", 4)
    cloud.advance(minutes=2)
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["crashes"])["MetricAlarms"]
    assert alarm["StateValue"] == ("ALARM" if reading == "filled" else "OK")
