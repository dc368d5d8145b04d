"""Whether the alarms of a finished template watch existing metrics, and are no more than CodeDeploy accepts."""

from collections.abc import Iterator, Mapping
from typing import Any

from serinus.infra.alarm_plan import FUNCTION, LAMBDA_NAMESPACE, MOST_ALARMS, WatchedMetric
from serinus.infra.lint.alarm_rules import is_carried
from serinus.infra.lint.finding import Problem
from serinus.infra.lint.template_parts import Template, of_type
from serinus.lambda_handlers.contract import signals

_OURS = (LAMBDA_NAMESPACE, signals.METRIC_NAMESPACE)


def check_alarm_metrics(template: Template, *, weighted: bool) -> Iterator[Problem]:
    """An alarm whose metric is never written has no data: it does not fire, unnoticed.

    Lambda may write the executed version only while an alias has weights (``weighted``: it ever has). CDK's
    `version.metric_errors()` uses FunctionName `name:version`, under which nothing is written at all.
    """
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm"):
        for metric in _metrics(alarm):
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
            watched = WatchedMetric(metric["Namespace"], metric["MetricName"], frozenset(dimensions), "")
            if watched.namespace not in _OURS:
                continue
            if not is_carried(watched, weighted=weighted) or not _is_function(dimensions.get(FUNCTION)):
                listed = ", ".join(f"{key}={dimensions[key]}" for key in sorted(dimensions)) or "no dimension"
                yield Problem(
                    "error",
                    ("alarms",),
                    f"alarm {name} watches {watched.namespace} {watched.name} by {listed}, which no metric has",
                    "Use the dimensions under which it is written, or another strategy",
                )


def check_alarm_count(template: Template) -> Iterator[Problem]:
    """More alarms than a deployment group accepts."""
    for name, group in of_type(template, "AWS::CodeDeploy::DeploymentGroup"):
        count = len(group.get("AlarmConfiguration", {}).get("Alarms", []))
        if count > MOST_ALARMS:
            yield Problem(
                "error",
                ("alarms",),
                f"deployment group {name} has {count} alarms; CodeDeploy allows {MOST_ALARMS}",
                "Remove some, or combine them into a composite alarm",
            )


def _metrics(alarm: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The metrics of an alarm, on a single one or on an expression over several."""
    if "MetricName" in alarm:
        yield alarm
    for query in alarm.get("Metrics", []):
        if "MetricStat" in query:
            yield query["MetricStat"]["Metric"]


def _is_function(value: Any) -> bool:
    """Whether FunctionName names a function, not a version of one, or is absent."""
    if isinstance(value, str):
        return ":" not in value
    return value is None or "Ref" in value
