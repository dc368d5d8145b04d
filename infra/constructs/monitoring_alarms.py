"""Alarms on the monitor itself: it has not run, or what endpoints counted was lost.

Two, and not one on both: where nothing was ever collected, an expression that refers to the collector's metric
might have no value at all.
"""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from serinus.infra.alarm_plan import FUNCTION, LAMBDA_NAMESPACE
from serinus.infra.constructs.alarm_topic import notify

#: Hours without a look that succeeded.
SILENT_HOURS = 3
_HOUR = cdk.Duration.hours(1)


class MonitoringAlarms(Construct):
    """Alarms named like the functions ``monitor`` and ``collector``; ``topic_arn`` is notified of both ends."""

    def __init__(
        self, scope: Construct, construct_id: str, *, monitor: str, collector: str, topic_arn: str | None
    ) -> None:
        super().__init__(scope, construct_id)
        looks = cloudwatch.MathExpression(
            expression="FILL(invoked, 0) - FILL(failed, 0)",
            using_metrics={
                "invoked": _metric("Invocations", monitor),
                "failed": _metric("Errors", monitor),
            },
            period=_HOUR,
            label="looks",
        )
        silent = cloudwatch.Alarm(
            self,
            "Silent",
            alarm_name=monitor,
            alarm_description=(
                f"No look at the endpoints has succeeded for {SILENT_HOURS} hours, so no drift is found. Fires "
                "also until the first look after the first deploy, at most an hour."
            ),
            metric=looks,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=SILENT_HOURS,
            datapoints_to_alarm=SILENT_HOURS,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        lost = cloudwatch.Alarm(
            self,
            "Lost",
            alarm_name=collector,
            alarm_description=(
                "Lambda gave up on batches of what endpoints counted: the collector failed three times, or was "
                "throttled for hours. Its log says why."
            ),
            metric=_metric("AsyncEventsDropped", collector),
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        for alarm in (silent, lost):
            notify(alarm, topic_arn, of_end=True)


def _metric(name: str, function: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=LAMBDA_NAMESPACE,
        metric_name=name,
        dimensions_map={FUNCTION: function},
        statistic="Sum",
        period=_HOUR,
    )
