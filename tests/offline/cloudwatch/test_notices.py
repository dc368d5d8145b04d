"""What is told of metric math and composite alarms, whose messages differ from those of a single metric."""

from typing import Any

from serinus.offline.services.cloudwatch.alarms import Alarm, AlarmState
from serinus.offline.services.cloudwatch.notifications import Change, eventbridge_event, region_title, sns_message

NOTHING: dict[str, Any] = {
    "OKActions": [],
    "AlarmActions": [],
    "InsufficientDataActions": [],
    "ActionsEnabled": True,
}
ARN = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"
METRIC = {"Namespace": "App", "MetricName": "m", "Dimensions": [{"Name": "model", "Value": "churn"}]}
MATH: dict[str, Any] = NOTHING | {
    "Metrics": [
        {"Id": "e1", "Expression": "m1 * 2", "Label": "twice"},
        {"Id": "m1", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
    ],
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "missing",
}


def change(settings: dict[str, Any], kind: Any = "MetricAlarm", **members: Any) -> Change:
    state = AlarmState("ALARM", "because", 1_800_000_000.25)
    alarm = Alarm("a", ARN, kind, settings, state, 1_799_999_999.0)
    return Change(alarm, AlarmState("OK", "fine", 1_799_999_999.0), "us-east-1", "123456789012", **members)


def test_a_math_alarm_tells_its_queries_to_sns() -> None:
    trigger = sns_message(change(MATH))["Trigger"]
    assert "MetricName" not in trigger
    assert (trigger["EvaluationPeriods"], trigger["DatapointsToAlarm"]) == (3, 2)
    expression, metric = trigger["Metrics"]
    assert expression["Expression"] == "m1 * 2"
    assert metric["MetricStat"]["Metric"]["Dimensions"] == [{"name": "model", "value": "churn"}]


def test_a_math_alarm_tells_its_queries_to_eventbridge() -> None:
    event = eventbridge_event(change(MATH))
    assert event["time"] == "2027-01-15T08:00:00Z"
    assert event["detail"]["state"]["timestamp"] == "2027-01-15T08:00:00.250+0000"
    expression, metric = event["detail"]["configuration"]["metrics"]
    assert expression == {"id": "e1", "returnData": True, "expression": "m1 * 2", "label": "twice"}
    assert metric["metricStat"]["metric"] == {"namespace": "App", "name": "m", "dimensions": {"model": "churn"}}


def test_a_percentile_alarm_names_its_extended_statistic() -> None:
    settings = NOTHING | {name: MATH[name] for name in MATH if name not in NOTHING and name != "Metrics"}
    single = settings | METRIC | {"Period": 60, "ExtendedStatistic": "p99"}
    trigger = sns_message(change(single))["Trigger"]
    assert (trigger["StatisticType"], trigger["ExtendedStatistic"]) == ("ExtendedStatistic", "p99")


def test_a_composite_alarm_tells_its_rule_and_who_moved_it() -> None:
    child = ("arn:aws:cloudwatch:us-east-1:123456789012:alarm:child", AlarmState("ALARM", "", 1_800_000_000.0))
    told = change(NOTHING | {"AlarmRule": "ALARM(child)"}, "CompositeAlarm", children=(child,))
    message = sns_message(told)
    assert message["AlarmRule"] == "ALARM(child)"
    assert message["TriggeringChildren"][0]["State"] == {
        "Value": "ALARM",
        "Timestamp": "2027-01-15T08:00:00.000+0000",
    }
    assert eventbridge_event(told)["detail"]["configuration"] == {"alarmRule": "ALARM(child)"}


def test_regions_have_the_names_that_aws_writes() -> None:
    assert region_title("eu-central-1") == "Europe (Frankfurt)"
    assert region_title("mars-north-1") == "mars-north-1"
