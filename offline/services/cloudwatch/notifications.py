"""An alarm's notifications: the SNS message, the event for a Lambda action, EventBridge's event.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

import functools
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import botocore.loaders

from serinus.offline.services.cloudwatch.alarms import Alarm, AlarmState, timestamp


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm's change from ``old`` to its present state, in a region of an account.

    ``children`` are the alarms that caused a composite alarm's change: their ARNs and states.
    """

    alarm: Alarm
    old: AlarmState
    region: str
    account_id: str
    children: tuple[tuple[str, AlarmState], ...] = ()


def subject(change: Change) -> str:
    """The subject of the SNS message."""
    return f'{change.alarm.state.value}: "{change.alarm.name}" in {region_title(change.region)}'[:100]


def sns_message(change: Change) -> dict[str, Any]:
    """The SNS message, to be serialized as JSON."""
    alarm, settings = change.alarm, change.alarm.settings
    message: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": settings.get("AlarmDescription"),
        "AWSAccountId": change.account_id,
        "AlarmConfigurationUpdatedTimestamp": timestamp(alarm.configured_at),
        "NewStateValue": alarm.state.value,
        "NewStateReason": alarm.state.reason,
        "StateChangeTime": timestamp(alarm.state.since),
        "Region": region_title(change.region),
        "AlarmArn": alarm.arn,
        "OldStateValue": change.old.value,
        "OKActions": settings["OKActions"],
        "AlarmActions": settings["AlarmActions"],
        "InsufficientDataActions": settings["InsufficientDataActions"],
    }
    if alarm.kind == "MetricAlarm":
        return message | {"Trigger": _trigger(settings)}
    children = [
        {"Arn": arn, "State": {"Value": state.value, "Timestamp": timestamp(state.since)}}
        for arn, state in change.children
    ]
    return message | {"AlarmRule": settings["AlarmRule"], "TriggeringChildren": children}


def _trigger(settings: dict[str, Any]) -> dict[str, Any]:
    common = {
        "Period": settings.get("Period"),
        "EvaluationPeriods": settings["EvaluationPeriods"],
        "DatapointsToAlarm": settings.get("DatapointsToAlarm", settings["EvaluationPeriods"]),
        "ComparisonOperator": settings["ComparisonOperator"],
        "Threshold": settings["Threshold"],
        "TreatMissingData": settings["TreatMissingData"],
        "EvaluateLowSampleCountPercentile": settings.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in settings:
        del common["Period"]
        return common | {"Metrics": [_trigger_metric(member) for member in settings["Metrics"]]}
    extended = settings.get("ExtendedStatistic")
    statistic = (
        {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": extended}
        if extended
        else {"StatisticType": "Statistic", "Statistic": _shouted(settings["Statistic"])}
    )
    return {
        "MetricName": settings["MetricName"],
        "Namespace": settings["Namespace"],
        **statistic,
        "Unit": settings.get("Unit"),
        "Dimensions": _swapped(settings.get("Dimensions", [])),
        **common,
    }


def _trigger_metric(member: dict[str, Any]) -> dict[str, Any]:
    if "MetricStat" not in member:
        return member
    metric = member["MetricStat"]["Metric"]
    swapped = metric | {"Dimensions": _swapped(metric.get("Dimensions", []))}
    return member | {"MetricStat": member["MetricStat"] | {"Metric": swapped}}


def _shouted(statistic: str) -> str:
    """A statistic's name in SNS messages: AVERAGE, SUM, SAMPLE_COUNT."""
    return "SAMPLE_COUNT" if statistic == "SampleCount" else statistic.upper()


def _swapped(dimensions: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"value": dimension["Value"], "name": dimension["Name"]} for dimension in dimensions]


def lambda_event(change: Change) -> dict[str, Any]:
    """A Lambda action's event."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": change.alarm.arn,
        "accountId": change.account_id,
        "time": timestamp(change.alarm.state.since),
        "region": change.region,
        "alarmData": detail(change),
    }


def eventbridge_event(change: Change) -> dict[str, Any]:
    """The event on the default bus."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": change.account_id,
        "time": f"{datetime.fromtimestamp(change.alarm.state.since, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": change.region,
        "resources": [change.alarm.arn],
        "detail": detail(change),
    }


def detail(change: Change) -> dict[str, Any]:
    """The alarm's part of both events."""
    return {
        "alarmName": change.alarm.name,
        "state": _state(change.alarm.state),
        "previousState": _state(change.old),
        "configuration": _configuration(change.alarm),
    }


def _state(state: AlarmState) -> dict[str, Any]:
    shown = {"value": state.value, "reason": state.reason, "timestamp": timestamp(state.since)}
    return shown | ({"reasonData": state.reason_data} if state.reason_data else {})


def _configuration(alarm: Alarm) -> dict[str, Any]:
    settings = alarm.settings
    shown = {"description": settings["AlarmDescription"]} if settings.get("AlarmDescription") else {}
    if alarm.kind == "CompositeAlarm":
        return shown | {"alarmRule": settings["AlarmRule"]}
    if "Metrics" in settings:
        return shown | {"metrics": [_configured_query(member) for member in settings["Metrics"]]}
    stat = {
        "Metric": {name: settings[name] for name in ("Namespace", "MetricName", "Dimensions") if name in settings},
        "Period": settings["Period"],
        "Stat": settings.get("Statistic") or settings["ExtendedStatistic"],
        "Unit": settings.get("Unit"),
    }
    single = {"Id": str(uuid.uuid5(uuid.NAMESPACE_URL, alarm.arn)), "MetricStat": stat, "ReturnData": True}
    return shown | {"metrics": [_configured_query(single)]}


def _configured_query(member: dict[str, Any]) -> dict[str, Any]:
    shown = {"id": member["Id"], "returnData": member.get("ReturnData", True)}
    if "MetricStat" not in member:
        label = {"label": member["Label"]} if "Label" in member else {}
        return shown | {"expression": member["Expression"]} | label
    stat = member["MetricStat"]
    metric = stat["Metric"]
    unit = {"unit": stat["Unit"]} if stat.get("Unit") else {}
    return shown | {
        "metricStat": {
            "metric": {
                "namespace": metric["Namespace"],
                "name": metric["MetricName"],
                "dimensions": {
                    each_dimension["Name"]: each_dimension["Value"]
                    for each_dimension in metric.get("Dimensions", [])
                },
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
        }
        | unit
    }


@functools.cache
def region_title(region: str) -> str:
    """ "US East (N. Virginia)" for us-east-1; the name itself for a region unknown to botocore."""
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    for partition in partitions:
        if region in partition["regions"]:
            return str(partition["regions"][region]["description"])
    return region
