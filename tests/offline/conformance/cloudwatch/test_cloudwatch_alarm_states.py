"""CloudWatch's rules on what a change of an alarm's state sets off, and on its history."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serinus.offline.cloud.stepped import SteppedCloud

TOPIC = "arn:aws:sns:us-east-1:123456789012:nobody"


def test_actions_are_taken_on_a_change_of_state_only(
    watched: Callable[..., Any], stepped_cloud: SteppedCloud
) -> None:
    """An alarm acts when its state changes, not while it stays.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
    """
    topic, read = subscribed_queue(stepped_cloud)
    alarm = watched(AlarmActions=[topic])
    alarm.minutes(2, 2, 2)
    assert len(read()) == 1
    assert alarm.history("Action") == [f"Successfully executed action {topic}"]


def test_disabled_actions_are_not_taken(watched: Callable[..., Any], cloudwatch: Any) -> None:
    """DisableAlarmActions: the state changes, the actions do not run.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DisableAlarmActions.html
    """
    alarm = watched(AlarmActions=[TOPIC])
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


def test_an_sns_message_tells_of_the_alarm(watched: Callable[..., Any], stepped_cloud: SteppedCloud) -> None:
    """The message is JSON with the states, the reason and the trigger.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    """
    topic, read = subscribed_queue(stepped_cloud)
    dimensions = [{"Name": "Function", "Value": "f"}]
    alarm = watched(
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


def test_a_state_can_be_set_for_a_test(watched: Callable[..., Any], cloudwatch: Any) -> None:
    """SetAlarmState is temporary: the next evaluation returns the alarm to its actual state.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html
    """
    alarm = watched()
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
    assert error.value.response["Error"]["Code"] == "ResourceNotFound"


def test_history_remembers_what_happened(watched: Callable[..., Any], cloudwatch: Any) -> None:
    """The history has configuration updates, state updates and actions, newest first by default.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
    """
    alarm = watched()
    alarm.minutes(2, 0)
    items = cloudwatch.describe_alarm_history(AlarmName=alarm.name)["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [
        "Alarm updated from ALARM to OK",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        f'Alarm "{alarm.name}" created',
    ]
    assert json.loads(items[0]["HistoryData"])["newState"]["stateValue"] == "OK"
