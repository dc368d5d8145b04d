"""CloudWatch's rules on alarms, through boto3 against a cloud whose time is stepped."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from offline.cloud.config import CloudConfig
from offline.cloud.stepping import SteppedCloud, stepped

TOPIC = "arn:aws:sns:us-east-1:123456789012:nobody"


@pytest.fixture(scope="module")
def stepped_cloud() -> Iterator[SteppedCloud]:
    with stepped() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def cloudwatch(stepped_cloud: SteppedCloud) -> Any:
    return stepped_cloud.client("cloudwatch")


class Watched:
    """An alarm on a metric of its own: over 1 in a minute, 1 out of 1, unless settings say otherwise."""

    def __init__(self, cloud: SteppedCloud, **settings: Any) -> None:
        self.cloud = cloud
        self.client = cloud.client("cloudwatch")
        self.name = f"alarm-{uuid.uuid4().hex[:8]}"
        self.settings = {
            "Namespace": "App",
            "MetricName": self.name,
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanThreshold",
        } | settings
        self.put()

    def put(self, **changes: Any) -> None:
        settings = {name: value for name, value in (self.settings | changes).items() if value is not None}
        self.client.put_metric_alarm(AlarmName=self.name, **settings)

    def send(self, value: float, name: str | None = None, **datum: Any) -> None:
        data = [{"MetricName": name or self.name, "Value": value, **datum}]
        self.client.put_metric_data(Namespace="App", MetricData=data)

    def minutes(self, *values: float | None) -> list[str]:
        """Send a value a minute (None: none), and the state after each minute."""
        states = []
        for value in values:
            if value is not None:
                self.send(value)
            self.cloud.advance(minutes=1)
            states.append(self.state)
        return states

    @property
    def shown(self) -> dict[str, Any]:
        (alarm,) = self.client.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return dict(alarm)

    @property
    def state(self) -> str:
        return str(self.shown["StateValue"])

    def history(self, kind: str) -> list[str]:
        """Summaries of history items of one type, oldest first."""
        items = self.client.describe_alarm_history(
            AlarmName=self.name, HistoryItemType=kind, ScanBy="TimestampAscending"
        )["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in items]


def refused(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_an_alarm_is_born_without_enough_data(stepped_cloud: SteppedCloud) -> None:
    """PutMetricAlarm sets a new alarm to INSUFFICIENT_DATA.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    alarm = Watched(stepped_cloud)
    assert alarm.state == "INSUFFICIENT_DATA"
    assert alarm.shown["StateReason"] == "Unchecked: Initial alarm creation"


def test_an_alarm_is_evaluated_every_minute(stepped_cloud: SteppedCloud) -> None:
    """Alarms with a period of a minute or longer are evaluated once a minute.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    alarm = Watched(stepped_cloud)
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
    stepped_cloud: SteppedCloud, operator: str, breaching: float, good: float
) -> None:
    """The statistic is the first operand of the comparison.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    assert Watched(stepped_cloud, ComparisonOperator=operator).minutes(breaching, good) == ["ALARM", "OK"]


def test_all_of_n_consecutive_periods_must_breach(stepped_cloud: SteppedCloud) -> None:
    """With Datapoints to Alarm equal to Evaluation Periods, all of the last periods must breach.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    alarm = Watched(stepped_cloud, EvaluationPeriods=3)
    assert alarm.minutes(0, 0, 0, 2, 2, 2, 0) == ["OK", "OK", "OK", "OK", "OK", "ALARM", "OK"]


def test_m_out_of_n_periods_need_not_be_consecutive(stepped_cloud: SteppedCloud) -> None:
    """Breaching data points need not be consecutive; they must be among the last N.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    alarm = Watched(stepped_cloud, EvaluationPeriods=3, DatapointsToAlarm=2)
    assert alarm.minutes(0, 0, 0, 2, 0, 2, 0, 0) == ["OK"] * 5 + ["ALARM", "OK", "OK"]


def test_a_long_period_slides_by_the_minute(stepped_cloud: SteppedCloud) -> None:
    """An alarm with a period of five minutes is evaluated each minute over the last five.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
    """
    alarm = Watched(stepped_cloud, Period=300, Threshold=3)
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
def test_missing_data_after_a_breach(stepped_cloud: SteppedCloud, mode: str, states: list[str]) -> None:
    """The last real data point counts as long as it is within the evaluation range; then the mode decides.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    assert Watched(stepped_cloud, TreatMissingData=mode).minutes(2, None, None, None) == states


@pytest.mark.parametrize(
    ("mode", "state"),
    [
        ("missing", "INSUFFICIENT_DATA"),
        ("ignore", "INSUFFICIENT_DATA"),
        ("breaching", "ALARM"),
        ("notBreaching", "OK"),
    ],
)
def test_an_alarm_that_never_sees_data(stepped_cloud: SteppedCloud, mode: str, state: str) -> None:
    """Without any data point the mode alone decides.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    assert Watched(stepped_cloud, TreatMissingData=mode).minutes(None) == [state]


def test_a_lone_breach_can_alarm_when_the_rest_is_missing(stepped_cloud: SteppedCloud) -> None:
    """Three out of three with data treated as missing: - - X - - goes to ALARM (premature alarm state).

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    alarm = Watched(stepped_cloud, EvaluationPeriods=3)
    assert alarm.minutes(2, None, None) == ["OK", "OK", "ALARM"]


def test_missing_data_is_treated_as_missing_by_default(stepped_cloud: SteppedCloud) -> None:
    """TreatMissingData is missing when omitted.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    assert Watched(stepped_cloud).shown["TreatMissingData"] == "missing"


def test_alarms_on_dynamodb_ignore_missing_data_by_default(stepped_cloud: SteppedCloud) -> None:
    """Alarms on metrics in AWS/DynamoDB default to ignore.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    assert Watched(stepped_cloud, Namespace="AWS/DynamoDB").shown["TreatMissingData"] == "ignore"


def test_a_reason_says_which_data_points_crossed(stepped_cloud: SteppedCloud) -> None:
    """StateReason names the data points, the threshold and the transition; StateReasonData is JSON.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
    """
    alarm = Watched(stepped_cloud, EvaluationPeriods=2)
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


def test_a_reason_says_what_missing_data_was_taken_for(stepped_cloud: SteppedCloud) -> None:
    """Without data points the reason says how many were treated as what.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    alarm = Watched(stepped_cloud, TreatMissingData="notBreaching")
    alarm.minutes(None)
    assert alarm.shown["StateReason"] == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[NonBreaching]."
    )


def test_a_percentile_can_be_watched(stepped_cloud: SteppedCloud) -> None:
    """ExtendedStatistic takes a percentile.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    alarm = Watched(stepped_cloud, Statistic=None, ExtendedStatistic="p90", Threshold=10)
    for value in (1, 1, 1, 100, 100):
        alarm.send(value)
    assert alarm.minutes(None) == ["ALARM"]


@pytest.mark.parametrize(("setting", "state"), [("evaluate", "ALARM"), ("ignore", "INSUFFICIENT_DATA")])
def test_a_percentile_of_few_samples_can_be_ignored(stepped_cloud: SteppedCloud, setting: str, state: str) -> None:
    """EvaluateLowSampleCountPercentile ignore keeps the state below 10/(1-percentile) samples.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
    """
    alarm = Watched(
        stepped_cloud,
        Statistic=None,
        ExtendedStatistic="p99",
        EvaluateLowSampleCountPercentile=setting,
    )
    assert alarm.minutes(5) == [state]


def test_metric_math_can_be_watched(stepped_cloud: SteppedCloud) -> None:
    """An alarm on an expression watches the one query that returns data.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html
    """
    prefix = uuid.uuid4().hex[:8]
    metrics = [math_query(name, f"{prefix}-{name}") for name in ("errors", "calls")]
    alarm = math_alarm(stepped_cloud, *metrics, expression="IF(calls > 10, 100 * errors / calls, 0)", Threshold=20)
    alarm.send(50, f"{prefix}-errors")
    alarm.send(5, f"{prefix}-calls")
    assert alarm.minutes(None) == ["OK"]
    alarm.send(50, f"{prefix}-errors")
    alarm.send(100, f"{prefix}-calls")
    assert alarm.minutes(None) == ["ALARM"]


def math_query(query_id: str, metric: str, period: int = 60) -> dict[str, Any]:
    metric_stat = {"Metric": {"Namespace": "App", "MetricName": metric}, "Period": period, "Stat": "Sum"}
    return {"Id": query_id, "MetricStat": metric_stat, "ReturnData": False}


def math_alarm(cloud: SteppedCloud, *metrics: dict[str, Any], expression: str, **settings: Any) -> Watched:
    single = ("Namespace", "MetricName", "Statistic", "Period")
    queries = [*metrics, {"Id": "e1", "Expression": expression, "Label": "watched"}]
    return Watched(cloud, **dict.fromkeys(single), Metrics=queries, **settings)


def test_searches_cannot_be_watched(stepped_cloud: SteppedCloud) -> None:
    """An alarm cannot be based on a SEARCH expression.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    with pytest.raises(ClientError, match="SEARCH is not supported on Metric Alarms"):
        math_alarm(stepped_cloud, expression="SUM(SEARCH('{App} x', 'Sum', 60))")


def test_metrics_of_one_alarm_share_their_period(stepped_cloud: SteppedCloud) -> None:
    """Each metric of a math alarm must use the same period.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-on-metric-math-expressions
    """
    with pytest.raises(ClientError) as error:
        math_alarm(stepped_cloud, math_query("m1", "a"), math_query("m2", "b", 300), expression="m1 + m2")
    assert refused(error) == "ValidationError"


def test_a_math_alarm_has_at_most_ten_metrics(stepped_cloud: SteppedCloud) -> None:
    """An expression of an alarm includes at most 10 metrics.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#alarms-on-metric-math-expressions
    """
    metrics = [math_query(f"m{place}", "a") for place in range(11)]
    with pytest.raises(ClientError) as error:
        math_alarm(stepped_cloud, *metrics, expression="SUM(METRICS())")
    assert refused(error) == "ValidationError"


@pytest.mark.parametrize("expression", ["METRICS()", "AVG(m1)", "m1 +", "m1 + unknown", "NOSUCH(m1)"])
def test_a_watched_expression_yields_one_time_series(stepped_cloud: SteppedCloud, expression: str) -> None:
    """An alarm watches a single time series: no array, no number, nothing that does not parse.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    metrics = [math_query(name, name) for name in ("m1", "m2")]
    with pytest.raises(ClientError) as error:
        math_alarm(stepped_cloud, *metrics, expression=expression)
    assert refused(error) == "ValidationError"


def test_high_resolution_alarms_are_evaluated_by_their_period() -> None:
    """An alarm with a period of 10 seconds is evaluated every 10 seconds.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html#high-resolution-alarms
    """
    with stepped() as cloud:
        alarm = Watched(cloud, Period=10)
        alarm.send(2, StorageResolution=1)
        cloud.advance(10)
        assert alarm.state == "ALARM"


def test_values_that_are_not_yet_visible_do_not_alarm() -> None:
    """An alarm sees a value when CloudWatch shows it, not when it was sent.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/publishingMetrics.html
    """
    with stepped(CloudConfig(metric_delay_s=90.0)) as cloud:
        alarm = Watched(cloud, EvaluationPeriods=1)
        assert alarm.minutes(2, None) == ["INSUFFICIENT_DATA", "ALARM"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"EvaluationPeriods": 1441},
        {"EvaluationPeriods": 2, "DatapointsToAlarm": 3},
        {"Period": 45},
        {"Statistic": None},
        {"ExtendedStatistic": "p90"},
        {"TreatMissingData": "whatever"},
        {"ComparisonOperator": "Equals"},
        {"AlarmActions": [TOPIC] * 6},
        {"AlarmActions": ["topic"]},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_settings_that_aws_refuses(stepped_cloud: SteppedCloud, wrong: dict[str, Any]) -> None:
    """PutMetricAlarm checks ranges, combinations, the length of a day, and five actions.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    with pytest.raises(ClientError) as error:
        Watched(stepped_cloud, **wrong)
    assert refused(error) == "ValidationError"


@pytest.mark.parametrize(
    "setting",
    [
        {"ThresholdMetricId": "ad1"},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
        {"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]},
    ],
    ids=lambda setting: "-".join(setting),
)
def test_settings_that_are_not_modelled_are_named(stepped_cloud: SteppedCloud, setting: dict[str, Any]) -> None:
    """Anomaly detection and actions on EC2 exist on AWS; here they are refused by name.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    with pytest.raises(ClientError) as error:
        Watched(stepped_cloud, **setting)
    assert refused(error) == "NotImplemented"


def test_an_update_keeps_the_state_and_replaces_the_settings(stepped_cloud: SteppedCloud) -> None:
    """Updating an alarm leaves its state and overwrites its configuration completely.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    alarm = Watched(stepped_cloud, AlarmDescription="first")
    alarm.minutes(2)
    alarm.put(Threshold=100, AlarmDescription=None)
    assert (alarm.state, alarm.shown["Threshold"]) == ("ALARM", 100)
    assert "AlarmDescription" not in alarm.shown
    assert alarm.minutes(None) == ["OK"]


def test_actions_are_taken_on_a_change_of_state_only(stepped_cloud: SteppedCloud) -> None:
    """An alarm acts when its state changes, not while it stays.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    """
    topic, read = subscribed_queue(stepped_cloud)
    alarm = Watched(stepped_cloud, AlarmActions=[topic])
    alarm.minutes(2, 2, 2)
    assert len(read()) == 1
    assert alarm.history("Action") == [f"Successfully executed action {topic}"]


def test_disabled_actions_are_not_taken(stepped_cloud: SteppedCloud, cloudwatch: Any) -> None:
    """DisableAlarmActions: the state changes, the actions do not run.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DisableAlarmActions.html
    """
    alarm = Watched(stepped_cloud, AlarmActions=[TOPIC])
    cloudwatch.disable_alarm_actions(AlarmNames=[alarm.name])
    assert alarm.minutes(2) == ["ALARM"]
    assert alarm.history("Action") == []
    cloudwatch.enable_alarm_actions(AlarmNames=[alarm.name])
    assert alarm.shown["ActionsEnabled"] is True


def subscribed_queue(cloud: SteppedCloud) -> tuple[str, Any]:
    """A topic with a queue on it, and a function that reads the messages' bodies."""
    name = uuid.uuid4().hex[:8]
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def read() -> list[dict[str, Any]]:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    return topic, read


def test_an_sns_message_tells_of_the_alarm(stepped_cloud: SteppedCloud) -> None:
    """The message is JSON with the states, the reason and the trigger.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    """
    topic, read = subscribed_queue(stepped_cloud)
    dimensions = [{"Name": "Function", "Value": "f"}]
    alarm = Watched(
        stepped_cloud,
        AlarmActions=[topic],
        AlarmDescription="too many",
        Dimensions=dimensions,
        Statistic="Average",
    )
    alarm.send(5, Dimensions=dimensions)
    alarm.minutes(None)
    (envelope,) = read()
    assert envelope["Subject"] == f'ALARM: "{alarm.name}" in US East (N. Virginia)'
    message = json.loads(envelope["Message"])
    assert (message["NewStateValue"], message["OldStateValue"]) == ("ALARM", "INSUFFICIENT_DATA")
    assert message["AlarmDescription"] == "too many"
    assert message["Region"] == "US East (N. Virginia)"
    assert message["Trigger"]["Statistic"] == "AVERAGE"
    assert message["Trigger"]["Dimensions"] == [{"name": "Function", "value": "f"}]


def test_a_state_can_be_set_for_a_test(stepped_cloud: SteppedCloud, cloudwatch: Any) -> None:
    """SetAlarmState is temporary: the next evaluation returns the alarm to its actual state.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
    """
    alarm = Watched(stepped_cloud)
    alarm.minutes(0)
    cloudwatch.set_alarm_state(AlarmName=alarm.name, StateValue="ALARM", StateReason="a test")
    assert (alarm.state, alarm.shown["StateReason"]) == ("ALARM", "a test")
    assert alarm.minutes(None) == ["OK"]


def test_the_state_of_an_unknown_alarm_cannot_be_set(cloudwatch: Any) -> None:
    """SetAlarmState of a missing alarm is ResourceNotFound.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
    """
    with pytest.raises(ClientError) as error:
        cloudwatch.set_alarm_state(AlarmName="nowhere", StateValue="OK", StateReason="a test")
    assert refused(error) == "ResourceNotFound"


def test_history_remembers_what_happened(stepped_cloud: SteppedCloud, cloudwatch: Any) -> None:
    """The history has configuration updates, state updates and actions, newest first by default.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
    """
    alarm = Watched(stepped_cloud)
    alarm.minutes(2, 0)
    items = cloudwatch.describe_alarm_history(AlarmName=alarm.name)["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        f'Alarm "{alarm.name}" created',
    ]
    assert json.loads(items[0]["HistoryData"])["newState"]["stateValue"] == "OK"


def test_alarms_are_found_by_metric(stepped_cloud: SteppedCloud, cloudwatch: Any) -> None:
    """DescribeAlarmsForMetric needs the exact dimensions of the alarm's metric.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmsForMetric.html
    """
    alarm = Watched(stepped_cloud, Dimensions=[{"Name": "a", "Value": "b"}])

    def found(**metric: Any) -> int:
        return len(
            cloudwatch.describe_alarms_for_metric(Namespace="App", MetricName=alarm.name, **metric)["MetricAlarms"]
        )

    assert found(Dimensions=[{"Name": "a", "Value": "b"}]) == 1
    assert found() == 0


def test_alarms_are_described_by_prefix_state_and_in_pages(stepped_cloud: SteppedCloud, cloudwatch: Any) -> None:
    """DescribeAlarms filters by prefix and state, and pages by MaxRecords.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    prefix = uuid.uuid4().hex[:8]
    for place in range(3):
        settings = Watched(stepped_cloud).settings
        cloudwatch.put_metric_alarm(AlarmName=f"{prefix}-{place}", **settings)
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=prefix, StateValue="INSUFFICIENT_DATA", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["MetricAlarms"]) for page in pages] == [2, 1]
    assert cloudwatch.describe_alarms(AlarmNamePrefix=prefix, StateValue="OK")["MetricAlarms"] == []


def test_alarms_are_deleted_and_wrong_names_are_passed_over(stepped_cloud: SteppedCloud, cloudwatch: Any) -> None:
    """DeleteAlarms deletes the alarms that exist even when other names are wrong.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
    """
    alarm = Watched(stepped_cloud)
    cloudwatch.delete_alarms(AlarmNames=[alarm.name, "nowhere"])
    assert cloudwatch.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"] == []


def test_alarms_have_tags(stepped_cloud: SteppedCloud, cloudwatch: Any) -> None:
    """Tags are given at creation, added and removed by ARN, and not changed by an update.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html
    """
    alarm = Watched(stepped_cloud, Tags=[{"Key": "team", "Value": "a"}])
    alarm.put(Tags=[{"Key": "team", "Value": "ignored"}])
    arn = alarm.shown["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "dev"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["none"])
    tags = cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "dev"}]


def composite(cloud: SteppedCloud, rule: str, **settings: Any) -> Any:
    """A composite alarm; returns a function that tells its state."""
    name = f"composite-{uuid.uuid4().hex[:8]}"
    client = cloud.client("cloudwatch")
    client.put_composite_alarm(AlarmName=name, AlarmRule=rule, **settings)

    def shown() -> dict[str, Any]:
        answer = client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        return dict(answer["CompositeAlarms"][0])

    return shown


def test_a_composite_alarm_follows_its_rule(stepped_cloud: SteppedCloud) -> None:
    """A composite alarm is in ALARM while its rule holds over the states of others.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html
    """
    one, other = Watched(stepped_cloud), Watched(stepped_cloud)
    both = composite(stepped_cloud, f'ALARM("{one.name}") AND NOT OK({other.name})')
    assert both()["StateValue"] == "OK"
    one.minutes(2)
    assert both()["StateValue"] == "ALARM"
    assert both()["StateReason"].startswith(f"{one.shown['AlarmArn']} transitioned to ALARM at ")
    other.send(0)
    one.minutes(2)
    assert both()["StateValue"] == "OK"


def test_composite_alarms_can_be_nested(stepped_cloud: SteppedCloud) -> None:
    """The alarms of a rule can be composite alarms.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    child = Watched(stepped_cloud)
    inner = composite(stepped_cloud, f"ALARM({child.name})")
    outer = composite(stepped_cloud, f"ALARM({inner()['AlarmName']}) OR FALSE")
    child.minutes(2)
    assert outer()["StateValue"] == "ALARM"


def test_a_rule_may_name_alarms_by_arn(stepped_cloud: SteppedCloud) -> None:
    """A rule refers to alarms by name or ARN.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    child = Watched(stepped_cloud)
    assert composite(stepped_cloud, f'INSUFFICIENT_DATA("{child.shown["AlarmArn"]}")')()["StateValue"] == "ALARM"


@pytest.mark.parametrize("rule", ["ALARM(nowhere)", "ALARM(", "SOMETHING(a)"])
def test_a_rule_must_parse_and_its_alarms_exist(stepped_cloud: SteppedCloud, rule: str) -> None:
    """A rule that does not parse, or names an alarm that does not exist, is refused.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    with pytest.raises(ClientError) as error:
        composite(stepped_cloud, rule)
    assert refused(error) == "ValidationError"


def test_an_alarm_of_a_composite_cannot_be_deleted(stepped_cloud: SteppedCloud, cloudwatch: Any) -> None:
    """An alarm cannot be deleted while a composite alarm depends on it.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
    """
    child = Watched(stepped_cloud)
    parent = composite(stepped_cloud, f"ALARM({child.name})")()["AlarmName"]
    with pytest.raises(ClientError, match=parent):
        cloudwatch.delete_alarms(AlarmNames=[child.name])
    cloudwatch.delete_alarms(AlarmNames=[parent])
    cloudwatch.delete_alarms(AlarmNames=[child.name])


def test_composite_alarms_are_shown_when_asked_for(stepped_cloud: SteppedCloud, cloudwatch: Any) -> None:
    """DescribeAlarms returns metric alarms only, unless AlarmTypes asks for composite ones.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    child = Watched(stepped_cloud)
    name = composite(stepped_cloud, f"ALARM({child.name})")()["AlarmName"]
    assert cloudwatch.describe_alarms(AlarmNames=[name])["CompositeAlarms"] == []
    children = cloudwatch.describe_alarms(ChildrenOfAlarmName=name)["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in children] == [child.name]


def test_alarms_of_regions_are_apart(stepped_cloud: SteppedCloud) -> None:
    """Alarm names are unique within a region; other regions have alarms of their own.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    alarm = Watched(stepped_cloud)
    elsewhere = stepped_cloud.client("cloudwatch", "eu-west-1")
    assert elsewhere.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"] == []
