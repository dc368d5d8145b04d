"""CodeDeploy's part: how the alias moves, with its alarms and hooks, and when it rolls back.

Made of CloudFormation's own resources: the library's deployment group would grant CodeDeploy's managed policy,
omit the rollback on a stop by request, and have no names before the stack exists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct, IDependable

from serinus.infra.constructs.hooks import ReleaseHooks
from serinus.infra.constructs.permissions import ReleasePermissions
from serinus.infra.traffic_shift import ALL_AT_ONCE, Shift, Steps

#: Every early end of a deployment restores the alias.
ROLLBACK_EVENTS = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]

#: Minutes for which CloudFormation waits for the first check instead of an hour: longer than the check can take.
FIRST_CHECK_MINUTES = 6


@dataclass(frozen=True, slots=True)
class Guards:
    """The hooks and alarms of a shift."""

    hooks: ReleaseHooks
    alarms: Sequence[cloudwatch.Alarm]


class Rollout(Construct):
    """Makes every later change of the alias' version a deployment of ``group`` in ``application``; before the
    alias is first made, the same check runs as a custom resource. ``hotfix`` moves all traffic at once."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alias: lambda_.Alias,
        shift: Shift,
        hotfix: bool,
        guards: Guards,
        permissions: ReleasePermissions,
    ) -> None:
        super().__init__(scope, construct_id)
        self._alias = cast(lambda_.CfnAlias, alias.node.default_child)
        self.application = codedeploy.CfnApplication(
            self, "Application", application_name=permissions.application, compute_platform="Lambda"
        )
        self.role = self._create_role(guards.hooks, permissions)
        config = None if hotfix or shift.steps is None else self._create_config(shift.steps)
        self.group = codedeploy.CfnDeploymentGroup(
            self,
            "Group",
            application_name=self.application.ref,
            deployment_group_name=permissions.group,
            service_role_arn=self.role.role_arn,
            deployment_config_name=config or (ALL_AT_ONCE if hotfix else shift.predefined),
            deployment_style=codedeploy.CfnDeploymentGroup.DeploymentStyleProperty(
                deployment_type="BLUE_GREEN", deployment_option="WITH_TRAFFIC_CONTROL"
            ),
            alarm_configuration=_watch(guards.alarms),
            auto_rollback_configuration=codedeploy.CfnDeploymentGroup.AutoRollbackConfigurationProperty(
                enabled=True, events=ROLLBACK_EVENTS
            ),
        )
        self._check_first(guards.hooks)
        self._move_alias_by_codedeploy(guards.hooks)

    def _create_role(self, hooks: ReleaseHooks, permissions: ReleasePermissions) -> iam.Role:
        call_hooks = iam.PolicyStatement(
            actions=["lambda:InvokeFunction"],
            resources=[hooks.before.function_arn, hooks.after.function_arn],
        )
        statements = [permissions.move_alias(), permissions.read_alarms(), call_hooks]
        return iam.Role(
            self,
            "Role",
            # https://docs.aws.amazon.com/codedeploy/latest/userguide/security_confused_deputy.html
            assumed_by=iam.ServicePrincipal(
                "codedeploy.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(self).account}},
            ),
            inline_policies={"MoveAlias": iam.PolicyDocument(statements=statements)},
        )

    def _create_config(self, steps: Steps) -> str:
        routing = codedeploy.CfnDeploymentConfig
        parts: Mapping[str, object] = (
            {
                "time_based_canary": routing.TimeBasedCanaryProperty(
                    canary_percentage=steps.percent, canary_interval=steps.interval_minutes
                )
            }
            if steps.kind == "TimeBasedCanary"
            else {
                "time_based_linear": routing.TimeBasedLinearProperty(
                    linear_percentage=steps.percent, linear_interval=steps.interval_minutes
                )
            }
        )
        # Unnamed and with the steps in its id: a configuration cannot be changed, and one in use not be deleted.
        return codedeploy.CfnDeploymentConfig(
            self,
            f"{steps.kind.removeprefix('TimeBased')}{steps.percent}Percent{steps.interval_minutes}Minutes",
            compute_platform="Lambda",
            traffic_routing_config=routing.TrafficRoutingConfigProperty(type=steps.kind, **parts),  # type: ignore[arg-type]
        ).ref

    def _check_first(self, hooks: ReleaseHooks) -> None:
        check = cdk.CustomResource(
            self,
            "FirstCheck",
            resource_type="Custom::SerinusFirstRelease",
            service_token=hooks.first.function_arn,
            service_timeout=cdk.Duration.minutes(FIRST_CHECK_MINUTES),
        )
        self._after(check)

    def _move_alias_by_codedeploy(self, hooks: ReleaseHooks) -> None:
        self._alias.cfn_options.update_policy = cdk.CfnUpdatePolicy(
            code_deploy_lambda_alias_update=cdk.CfnCodeDeployLambdaAliasUpdate(
                application_name=self.application.ref,
                deployment_group_name=self.group.ref,
                before_allow_traffic_hook=hooks.before.function_name,
                after_allow_traffic_hook=hooks.after.function_name,
            )
        )
        if hooks.judge is not None and hooks.schedule is not None:
            # Deleted the other way round: the judge is never called to a group that is gone.
            hooks.schedule.node.add_dependency(self.group)

    def _after(self, first: IDependable) -> None:
        self._alias.node.add_dependency(first)


def _watch(
    alarms: Sequence[cloudwatch.Alarm],
) -> codedeploy.CfnDeploymentGroup.AlarmConfigurationProperty:
    names = [codedeploy.CfnDeploymentGroup.AlarmProperty(name=alarm.alarm_name) for alarm in alarms]
    return codedeploy.CfnDeploymentGroup.AlarmConfigurationProperty(
        enabled=True, alarms=names, ignore_poll_alarm_failure=False
    )
