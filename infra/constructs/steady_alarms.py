"""The planned alarms between releases. Their names are fixed, so that dashboard and CLI know them."""

import re
from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from serinus.infra.constructs.alarm_topic import notify
from serinus.infra.names import steady_alarm_name
from serinus.infra.steady_alarm_plan import WINDOW_S, SteadyAlarm, SteadyMetric

_WINDOW = cdk.Duration.seconds(WINDOW_S)


class SteadyAlarms(Construct):
    """``planned`` alarms of the endpoint of ``stack_name``; ``topic_arn`` is notified of each that fires, and of
    its end. Missing data is no failure: an endpoint without requests is idle, and only CloudWatch itself would be
    at fault if an endpoint with requests had none."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_name: str,
        planned: Sequence[SteadyAlarm],
        topic_arn: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        for alarm in planned:
            created = cloudwatch.Alarm(
                self,
                "".join(word.capitalize() for word in alarm.name.split("-")),
                alarm_name=steady_alarm_name(stack_name, alarm.name),
                alarm_description=alarm.description,
                metric=_value(alarm),
                threshold=alarm.threshold,
                comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
                evaluation_periods=1,
                treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            )
            notify(created, topic_arn, of_end=True)


def _value(alarm: SteadyAlarm) -> cloudwatch.MathExpression:
    using: dict[str, cloudwatch.IMetric] = {name: _metric(metric) for name, metric in alarm.metrics.items()}
    for name, expression in alarm.terms.items():
        using[name] = _math(expression, using, name)
    return _math(alarm.expression, using, alarm.name)


def _math(expression: str, using: Mapping[str, cloudwatch.IMetric], label: str) -> cloudwatch.MathExpression:
    named = {name: metric for name, metric in using.items() if re.search(rf"\b{name}\b", expression)}
    return cloudwatch.MathExpression(expression=expression, using_metrics=named, period=_WINDOW, label=label)


def _metric(metric: SteadyMetric) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=metric.namespace,
        metric_name=metric.name,
        dimensions_map=dict(metric.dimensions),
        statistic="Sum",
        period=_WINDOW,
    )
