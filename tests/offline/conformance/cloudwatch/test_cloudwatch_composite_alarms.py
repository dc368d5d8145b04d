"""CloudWatch's rules on alarms that combine the states of others."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serinus.offline.cloud.stepped import SteppedCloud


def composite(cloud: SteppedCloud, rule: str, **settings: Any) -> Any:
    """A composite alarm; returns a function that tells its state."""
    name = f"composite-{uuid.uuid4().hex[:8]}"
    client = cloud.client("cloudwatch")
    client.put_composite_alarm(AlarmName=name, AlarmRule=rule, **settings)

    def shown() -> dict[str, Any]:
        answer = client.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
        return dict(answer["CompositeAlarms"][0])

    return shown


def test_a_composite_alarm_follows_its_rule(watched: Callable[..., Any], stepped_cloud: SteppedCloud) -> None:
    """A composite alarm is in ALARM while its rule holds over the states of others.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html
    """
    one, other = watched(), watched()
    both = composite(stepped_cloud, f'ALARM("{one.name}") AND NOT OK({other.name})')
    assert both()["StateValue"] == "OK"
    one.minutes(2)
    assert both()["StateValue"] == "ALARM"
    assert both()["StateReason"].startswith(f"{one.shown['AlarmArn']} transitioned to ALARM at ")
    other.send(0)
    one.minutes(2)
    assert both()["StateValue"] == "OK"


def test_composite_alarms_can_be_nested(watched: Callable[..., Any], stepped_cloud: SteppedCloud) -> None:
    """The alarms of a rule can be composite alarms.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    child = watched()
    inner = composite(stepped_cloud, f"ALARM({child.name})")
    outer = composite(stepped_cloud, f"ALARM({inner()['AlarmName']}) OR FALSE")
    child.minutes(2)
    assert outer()["StateValue"] == "ALARM"


def test_a_rule_may_name_alarms_by_arn(watched: Callable[..., Any], stepped_cloud: SteppedCloud) -> None:
    """A rule refers to alarms by name or ARN.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    child = watched()
    assert composite(stepped_cloud, f'INSUFFICIENT_DATA("{child.shown["AlarmArn"]}")')()["StateValue"] == "ALARM"


@pytest.mark.parametrize("rule", ["ALARM(nowhere)", "ALARM(", "SOMETHING(a)"])
def test_a_rule_must_parse_and_its_alarms_exist(stepped_cloud: SteppedCloud, rule: str) -> None:
    """A rule that does not parse, or names an alarm that does not exist, is refused.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    with pytest.raises(ClientError) as error:
        composite(stepped_cloud, rule)
    assert error.value.response["Error"]["Code"] == "ValidationError"


def test_an_alarm_of_a_composite_cannot_be_deleted(
    watched: Callable[..., Any], stepped_cloud: SteppedCloud, cloudwatch: Any
) -> None:
    """An alarm cannot be deleted while a composite alarm depends on it.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
    """
    child = watched()
    parent = composite(stepped_cloud, f"ALARM({child.name})")()["AlarmName"]
    with pytest.raises(ClientError, match=parent):
        cloudwatch.delete_alarms(AlarmNames=[child.name])
    cloudwatch.delete_alarms(AlarmNames=[parent])
    cloudwatch.delete_alarms(AlarmNames=[child.name])


def test_composite_alarms_are_shown_when_asked_for(
    watched: Callable[..., Any], stepped_cloud: SteppedCloud, cloudwatch: Any
) -> None:
    """DescribeAlarms returns metric alarms only, unless AlarmTypes includes composite ones.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    child = watched()
    name = composite(stepped_cloud, f"ALARM({child.name})")()["AlarmName"]
    assert cloudwatch.describe_alarms(AlarmNames=[name])["CompositeAlarms"] == []
    children = cloudwatch.describe_alarms(ChildrenOfAlarmName=name)["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in children] == [child.name]
