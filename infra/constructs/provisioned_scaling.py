"""Scales the number of environments that an alias keeps ready: by use, by schedule, or both.

Lambda rejects a change of the number while an alias' traffic is split: during a gradual rollout it stays as it is.
"""

from collections.abc import Mapping

from aws_cdk import aws_applicationautoscaling as scaling
from constructs import Construct

_DIMENSION = "lambda:function:ProvisionedConcurrency"


class ProvisionedScaling(Construct):
    """Scales ``alias`` of ``function`` from ``least`` to ``most`` environments.

    ``schedule`` sets the number from each of its times on; with ``target_percent`` it sets the least number, from
    which use scales up to ``most``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: str,
        alias: str,
        least: int,
        most: int,
        target_percent: int | None,
        schedule: Mapping[str, int],
        timezone: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.target = scaling.CfnScalableTarget(
            self,
            "Target",
            service_namespace="lambda",
            scalable_dimension=_DIMENSION,
            resource_id=f"function:{function}:{alias}",
            min_capacity=least,
            max_capacity=most,
            scheduled_actions=[
                _action(number, at, schedule[at], timezone, fixed=target_percent is None)
                for number, at in enumerate(schedule, 1)
            ]
            or None,
        )
        if target_percent is not None:
            self._track(f"{function}-{alias}", target_percent)

    def _track(self, name: str, target_percent: int) -> None:
        policy = scaling.CfnScalingPolicy
        policy(
            self,
            "Tracking",
            policy_name=name,
            policy_type="TargetTrackingScaling",
            scaling_target_id=self.target.ref,
            target_tracking_scaling_policy_configuration=policy.TargetTrackingScalingPolicyConfigurationProperty(
                target_value=target_percent / 100,
                predefined_metric_specification=policy.PredefinedMetricSpecificationProperty(
                    predefined_metric_type="LambdaProvisionedConcurrencyUtilization"
                ),
            ),
        )


def _action(
    number: int, at: str, count: int, timezone: str, *, fixed: bool
) -> scaling.CfnScalableTarget.ScheduledActionProperty:
    """An action alone scales in only to a maximum, and out only to a minimum; without target tracking nothing else
    does. https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-policy-overview.html"""
    return scaling.CfnScalableTarget.ScheduledActionProperty(
        scheduled_action_name=f"schedule-{number}",
        schedule=at,
        timezone=timezone,
        scalable_target_action=scaling.CfnScalableTarget.ScalableTargetActionProperty(
            min_capacity=count, max_capacity=count if fixed else None
        ),
    )
