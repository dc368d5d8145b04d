"""The planned alarms of a release, on one version.

The version's hash is in each alarm's construct id: an alarm with only new dimensions would be updated in place and
keep its state, and a firing one of the old version would stop the fix.
"""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from serinus.infra.alarm_plan import EXECUTED_VERSION, FUNCTION, RESOURCE, VERSION, PlannedAlarm, WatchedMetric
from serinus.infra.constructs.alarm_topic import notify


class ReleaseAlarms(Construct):
    """``alarms`` on version ``version`` of function ``function``; ``topic_arn`` is notified of each that fires."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        planned: Sequence[PlannedAlarm],
        function: str,
        alias: str,
        version: str,
        version_hash: str,
        topic_arn: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._dimensions: Mapping[str, str] = {
            FUNCTION: function,
            VERSION: version,
            RESOURCE: f"{function}:{alias}",
            EXECUTED_VERSION: version,
        }
        self.alarms = [self._create(alarm, version_hash) for alarm in planned]
        for alarm in self.alarms:
            notify(alarm, topic_arn)

    def _create(self, planned: PlannedAlarm, version_hash: str) -> cloudwatch.Alarm:
        operator = cloudwatch.ComparisonOperator
        return cloudwatch.Alarm(
            self,
            f"{planned.name}{version_hash}",
            alarm_description=planned.description,
            metric=self._value(planned),
            threshold=planned.threshold,
            comparison_operator=operator.LESS_THAN_THRESHOLD if planned.below else operator.GREATER_THAN_THRESHOLD,
            evaluation_periods=planned.periods,
            datapoints_to_alarm=planned.breaching,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _value(self, planned: PlannedAlarm) -> cloudwatch.IMetric:
        period = cdk.Duration.seconds(planned.period_s)
        metrics = {name: self._metric(watched, period) for name, watched in planned.metrics.items()}
        if planned.expression in metrics:
            return metrics[planned.expression]
        return cloudwatch.MathExpression(
            expression=planned.expression, using_metrics=dict(metrics), period=period, label=planned.name
        )

    def _metric(self, watched: WatchedMetric, period: cdk.Duration) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=watched.namespace,
            metric_name=watched.name,
            dimensions_map={name: self._dimensions[name] for name in sorted(watched.dimensions)},
            statistic=watched.statistic,
            period=period,
        )
