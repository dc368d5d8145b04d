"""CloudWatch's rules on an alarm's settings, and on finding, tagging and deleting alarms."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serinus.offline.cloud.stepped import SteppedCloud

TOPIC = "arn:aws:sns:us-east-1:123456789012:nobody"


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
def test_settings_that_aws_refuses(watched: Callable[..., Any], wrong: dict[str, Any]) -> None:
    """PutMetricAlarm checks ranges, combinations, the length of a day, and five actions.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    with pytest.raises(ClientError) as error:
        watched(**wrong)
    assert error.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.parametrize(
    "setting",
    [
        {"ThresholdMetricId": "ad1"},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
        {"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]},
    ],
    ids=lambda setting: "-".join(setting),
)
def test_settings_that_are_not_modelled_are_named(watched: Callable[..., Any], setting: dict[str, Any]) -> None:
    """Anomaly detection and actions on EC2 exist on AWS; here they are refused by name.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    with pytest.raises(ClientError) as error:
        watched(**setting)
    assert error.value.response["Error"]["Code"] == "NotImplemented"


def test_an_update_keeps_the_state_and_replaces_the_settings(watched: Callable[..., Any]) -> None:
    """Updating an alarm leaves its state and overwrites its configuration completely.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    alarm = watched(AlarmDescription="first")
    alarm.minutes(2)
    alarm.put(Threshold=100, AlarmDescription=None)
    assert (alarm.state, alarm.shown["Threshold"]) == ("ALARM", 100)
    assert "AlarmDescription" not in alarm.shown
    assert alarm.minutes(None) == ["OK"]


def test_alarms_are_found_by_metric(watched: Callable[..., Any], cloudwatch: Any) -> None:
    """DescribeAlarmsForMetric needs the exact dimensions of the alarm's metric.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmsForMetric.html
    """
    alarm = watched(Dimensions=[{"Name": "a", "Value": "b"}])

    def found(**metric: Any) -> int:
        return len(
            cloudwatch.describe_alarms_for_metric(Namespace="App", MetricName=alarm.name, **metric)["MetricAlarms"]
        )

    assert found(Dimensions=[{"Name": "a", "Value": "b"}]) == 1
    assert found() == 0


def test_alarms_are_described_by_prefix_state_and_in_pages(watched: Callable[..., Any], cloudwatch: Any) -> None:
    """DescribeAlarms filters by prefix and state, and pages by MaxRecords.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    prefix = uuid.uuid4().hex[:8]
    for place in range(3):
        settings = watched().settings
        cloudwatch.put_metric_alarm(AlarmName=f"{prefix}-{place}", **settings)
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=prefix, StateValue="INSUFFICIENT_DATA", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["MetricAlarms"]) for page in pages] == [2, 1]
    assert cloudwatch.describe_alarms(AlarmNamePrefix=prefix, StateValue="OK")["MetricAlarms"] == []


def test_alarms_are_deleted_and_wrong_names_are_passed_over(watched: Callable[..., Any], cloudwatch: Any) -> None:
    """DeleteAlarms deletes the alarms that exist even when other names are wrong.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html
    """
    alarm = watched()
    cloudwatch.delete_alarms(AlarmNames=[alarm.name, "nowhere"])
    assert cloudwatch.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"] == []


def test_alarms_have_tags(watched: Callable[..., Any], cloudwatch: Any) -> None:
    """Tags are given at creation, added and removed by ARN, and not changed by an update.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html
    """
    alarm = watched(Tags=[{"Key": "team", "Value": "a"}])
    alarm.put(Tags=[{"Key": "team", "Value": "ignored"}])
    arn = alarm.shown["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "dev"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["none"])
    tags = cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "dev"}]


def test_alarms_of_regions_are_apart(watched: Callable[..., Any], stepped_cloud: SteppedCloud) -> None:
    """Alarm names are unique within a region; other regions have alarms of their own.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    alarm = watched()
    elsewhere = stepped_cloud.client("cloudwatch", "eu-west-1")
    assert elsewhere.describe_alarms(AlarmNames=[alarm.name])["MetricAlarms"] == []
