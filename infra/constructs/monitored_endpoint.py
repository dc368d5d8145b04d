"""What an endpoint's own stack has for the monitor: the subscription of its log, and the alarm on findings.

Nothing here refers to the shared stack, which exists first: the collector is named.
"""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from serinus.infra.constructs.alarm_topic import notify
from serinus.infra.names import DRIFT, steady_alarm_name
from serinus.lambda_handlers.contract import findings, signals

#: The lines in which a function counts.
PROFILE_LINES = "{ $.Profile = 1 }"
FILTER_NAME = "serinus-profile"


class MonitoredEndpoint(Construct):
    """Sends the profile lines of ``log_group`` to the function ``collector``; ``topic_arn`` is notified of what is
    found about the endpoint of ``stack_name``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_name: str,
        log_group: logs.LogGroup,
        collector: str,
        topic_arn: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        logs.CfnSubscriptionFilter(
            self,
            "Profiles",
            # One of the two that AWS allows on a log group.
            filter_name=FILTER_NAME,
            filter_pattern=PROFILE_LINES,
            log_group_name=log_group.log_group_name,
            destination_arn=collector_arn(cdk.Stack.of(self), collector),
        )
        drift = cloudwatch.Alarm(
            self,
            "Drift",
            alarm_name=steady_alarm_name(stack_name, DRIFT),
            alarm_description="The monitor has a finding: inputs or predictions differ from the model's sample, "
            "many requests are refused, or counts do not arrive. `serinus monitor status NAME` says which.",
            metric=cloudwatch.Metric(
                namespace=signals.METRIC_NAMESPACE,
                metric_name=findings.METRIC_FINDINGS,
                dimensions_map={signals.DIMENSION_FUNCTION: stack_name},
                statistic="Maximum",
                period=cdk.Duration.hours(1),
            ),
            threshold=0,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            # One data point an hour, some a minute later than others; a monitor that is silent has its own alarm.
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )
        notify(drift, topic_arn, of_end=True)


def collector_arn(stack: cdk.Stack, collector: str) -> str:
    """The collector in the account and region of ``stack``."""
    return stack.format_arn(
        service="lambda",
        resource="function",
        resource_name=collector,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )
