"""CloudWatch's rules on what an alarm makes of its data, through boto3 against a cloud whose time is stepped."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from serinus.offline.cloud.stepped import stepped
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.readings import Readings, Seconds


def test_an_alarm_is_born_without_enough_data(watched: Callable[..., Any]) -> None:
    """PutMetricAlarm sets a new alarm to INSUFFICIENT_DATA.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    alarm = watched()
    assert alarm.state == "INSUFFICIENT_DATA"
    assert alarm.shown["StateReason"] == "Unchecked: Initial alarm creation"


def test_an_alarm_is_evaluated_every_minute(watched: Callable[..., Any]) -> None:
    """Alarms with a period of a minute or longer are evaluated once a minute.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    alarm = watched()
    assert alarm.minutes(0, 2, 0) == ["OK", "ALARM", "OK"]


@pytest.mark.parametrize(
    ("operator", "breaching", "good"),
    [
        ("GreaterThanThreshold", 1.5, 1),
        ("GreaterThanOrEqualToThreshold", 1, 0.5),
        ("LessThanThreshold", 0.5, 1),
        ("LessThanOrEqualToThreshold", 1, 1.5),
    ],
)
def test_a_value_is_compared_with_the_threshold(
    watched: Callable[..., Any], operator: str, breaching: float, good: float
) -> None:
    """The statistic is the first operand of the comparison.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    assert watched(ComparisonOperator=operator).minutes(breaching, good) == ["ALARM", "OK"]


def test_all_of_n_consecutive_periods_must_breach(watched: Callable[..., Any]) -> None:
    """With Datapoints to Alarm equal to Evaluation Periods, all of the last periods must breach.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    alarm = watched(EvaluationPeriods=3)
    assert alarm.minutes(0, 0, 0, 2, 2, 2, 0) == ["OK", "OK", "OK", "OK", "OK", "ALARM", "OK"]


def test_m_out_of_n_periods_need_not_be_consecutive(watched: Callable[..., Any]) -> None:
    """Breaching data points need not be consecutive; they must be among the last N.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    alarm = watched(EvaluationPeriods=3, DatapointsToAlarm=2)
    assert alarm.minutes(0, 0, 0, 2, 0, 2, 0, 0) == ["OK"] * 5 + ["ALARM", "OK", "OK"]


def test_a_long_period_slides_by_the_minute(watched: Callable[..., Any]) -> None:
    """An alarm with a period of five minutes is evaluated each minute over the last five.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    alarm = watched(Period=300, Threshold=3)
    assert alarm.minutes(1, 1, 1, 1, 1) == ["OK", "OK", "OK", "ALARM", "ALARM"]


@pytest.mark.parametrize(
    ("mode", "states"),
    [
        ("missing", ["ALARM", "ALARM", "ALARM", "INSUFFICIENT_DATA"]),
        ("ignore", ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("breaching", ["ALARM", "ALARM", "ALARM", "ALARM"]),
        ("notBreaching", ["ALARM", "ALARM", "ALARM", "OK"]),
    ],
)
def test_missing_data_after_a_breach(watched: Callable[..., Any], mode: str, states: list[str]) -> None:
    """The last real data point counts as long as it is within the evaluation range; then the mode decides.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    assert watched(TreatMissingData=mode).minutes(2, None, None, None) == states


@pytest.mark.parametrize(
    ("mode", "state"),
    [
        ("missing", "INSUFFICIENT_DATA"),
        ("ignore", "INSUFFICIENT_DATA"),
        ("breaching", "ALARM"),
        ("notBreaching", "OK"),
    ],
)
def test_an_alarm_that_never_sees_data(watched: Callable[..., Any], mode: str, state: str) -> None:
    """Without any data point the mode alone decides.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    assert watched(TreatMissingData=mode).minutes(None) == [state]


def test_a_lone_breach_can_alarm_when_the_rest_is_missing(watched: Callable[..., Any]) -> None:
    """Three out of three with data treated as missing: - - X - - goes to ALARM (premature alarm state).

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    alarm = watched(EvaluationPeriods=3)
    assert alarm.minutes(2, None, None) == ["OK", "OK", "ALARM"]


def test_missing_data_is_treated_as_missing_by_default(watched: Callable[..., Any]) -> None:
    """TreatMissingData is missing when omitted.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    assert watched().shown["TreatMissingData"] == "missing"


def test_alarms_on_dynamodb_ignore_missing_data_by_default(watched: Callable[..., Any]) -> None:
    """Alarms on metrics in AWS/DynamoDB default to ignore.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    assert watched(Namespace="AWS/DynamoDB").shown["TreatMissingData"] == "ignore"


def test_a_reason_says_which_data_points_crossed(watched: Callable[..., Any]) -> None:
    """StateReason names the data points, the threshold and the transition; StateReasonData is JSON.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    alarm = watched(EvaluationPeriods=2)
    alarm.minutes(3, 4)
    shown = alarm.shown
    assert shown["StateReason"].startswith("Threshold Crossed: 2 out of the last 2 datapoints [4.0 (")
    assert shown["StateReason"].endswith(
        "were greater than the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    data = json.loads(shown["StateReasonData"])
    assert (data["recentDatapoints"], data["threshold"], data["statistic"], data["period"]) == (
        [3, 4],
        1,
        "Sum",
        60,
    )


def test_a_reason_says_what_missing_data_was_taken_for(watched: Callable[..., Any]) -> None:
    """Without data points the reason says how many were treated as what.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    alarm = watched(TreatMissingData="notBreaching")
    alarm.minutes(None)
    assert alarm.shown["StateReason"] == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[NonBreaching]."
    )


def test_a_percentile_can_be_watched(watched: Callable[..., Any]) -> None:
    """ExtendedStatistic accepts a percentile.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    alarm = watched(Statistic=None, ExtendedStatistic="p90", Threshold=10)
    for value in (1, 1, 1, 100, 100):
        alarm.send(value)
    assert alarm.minutes(None) == ["ALARM"]


@pytest.mark.parametrize(("setting", "state"), [("evaluate", "ALARM"), ("ignore", "INSUFFICIENT_DATA")])
def test_a_percentile_of_few_samples_can_be_ignored(watched: Callable[..., Any], setting: str, state: str) -> None:
    """EvaluateLowSampleCountPercentile ignore keeps the state below 10/(1-percentile) samples.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
    """
    alarm = watched(
        Statistic=None,
        ExtendedStatistic="p99",
        EvaluateLowSampleCountPercentile=setting,
    )
    assert alarm.minutes(5) == [state]


def test_high_resolution_alarms_are_evaluated_by_their_period(watched: Callable[..., Any]) -> None:
    """An alarm with a period of 10 seconds is evaluated every 10 seconds.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#high-resolution-alarms
    """
    with stepped() as cloud:
        alarm = watched(cloud=cloud, Period=10)
        alarm.send(2, StorageResolution=1)
        cloud.advance(10)
        assert alarm.state == "ALARM"


def test_values_that_are_not_yet_visible_do_not_alarm(watched: Callable[..., Any]) -> None:
    """An alarm sees a value when CloudWatch shows it, not when it was sent.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html
    """
    with stepped(CloudConfig(readings=Readings(metric_delay=Seconds(90, 90)))) as cloud:
        alarm = watched(cloud=cloud, EvaluationPeriods=1)
        assert alarm.minutes(2, None) == ["INSUFFICIENT_DATA", "ALARM"]
