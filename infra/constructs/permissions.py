"""The permissions of each function of a release: only the actions that it calls, on its resources.

Names and not references: group, role and hooks would otherwise need each other to exist first.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodedeploy.html lists actions without
resources.
"""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from serinus.lambda_handlers.contract import release, signals


@dataclass(frozen=True, slots=True)
class ReleasePermissions:
    """Statements about a ``function``, its ``alias``, and CodeDeploy's ``application`` and ``group``."""

    stack: cdk.Stack
    function: str
    alias: str
    application: str
    group: str

    def ask_versions(self) -> iam.PolicyStatement:
        """Invoke any version of the function, past the alias."""
        return iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[f"{self.function_arn}:*"])

    def ask_alias(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=["lambda:InvokeFunction"], resources=[f"{self.function_arn}:{self.alias}"]
        )

    def invoke(self, function: str) -> iam.PolicyStatement:
        """Invoke another function of the account, by its name."""
        return iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[self._arn_of(function)])

    def read_deployment(self) -> iam.PolicyStatement:
        """The versions of a deployment; these two actions have no resources."""
        return iam.PolicyStatement(
            actions=["codedeploy:ListDeploymentTargets", "codedeploy:BatchGetDeploymentTargets"], resources=["*"]
        )

    def know_rollbacks(self) -> iam.PolicyStatement:
        """The creator of a deployment, the deployment that it undoes, and its AppSpec."""
        return iam.PolicyStatement(actions=["codedeploy:GetDeployment"], resources=[self.group_arn])

    def find_deployments(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=["codedeploy:ListDeployments", "codedeploy:GetDeployment"], resources=[self.group_arn]
        )

    def answer_codedeploy(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=["codedeploy:PutLifecycleEventHookExecutionStatus"], resources=[self.group_arn]
        )

    def read_metrics(self) -> iam.PolicyStatement:
        """CloudWatch has no resources for reading."""
        return iam.PolicyStatement(actions=["cloudwatch:GetMetricData"], resources=["*"])

    def publish_verdict(self) -> list[iam.PolicyStatement]:
        bus = self.stack.format_arn(service="events", resource="event-bus", resource_name="default")
        return [
            iam.PolicyStatement(
                actions=["cloudwatch:PutMetricData"],
                resources=["*"],
                conditions={"StringEquals": {"cloudwatch:namespace": signals.METRIC_NAMESPACE}},
            ),
            iam.PolicyStatement(
                actions=["events:PutEvents"],
                resources=[bus],
                conditions={"StringEquals": {"events:source": release.EVENT_SOURCE}},
            ),
        ]

    def hold_deployment(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(actions=["ssm:PutParameter"], resources=[self._hold_arn])

    def let_deployment_go(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(actions=["ssm:GetParameter", "ssm:DeleteParameter"], resources=[self._hold_arn])

    def object_to_deployment(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=["ssm:GetParameter", "ssm:PutParameter"], resources=[self._objection_arn]
        )

    def read_objection(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(actions=["ssm:GetParameter"], resources=[self._objection_arn])

    def retire_versions(self) -> iam.PolicyStatement:
        """Delete versions. AWS's table lists the function as this action's resource, and does not say whether a
        version's deletion is checked against the version's ARN, so both are granted.

        The price: IAM no longer keeps the one function that has this role from deleting the endpoint's. Its code
        deletes by number only (`serinus.lambda_handlers.hooks.retire_versions`). Without the function's ARN, old
        versions might never be deleted, and each SnapStart version is billed for its cache.
        https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
        """
        return iam.PolicyStatement(
            actions=["lambda:DeleteFunction"], resources=[self.function_arn, f"{self.function_arn}:*"]
        )

    def list_versions(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=["lambda:ListVersionsByFunction", "lambda:ListAliases"], resources=[self.function_arn]
        )

    def move_alias(self) -> iam.PolicyStatement:
        """For CodeDeploy itself."""
        return iam.PolicyStatement(
            actions=["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"],
            resources=[self.function_arn, f"{self.function_arn}:{self.alias}"],
        )

    def read_alarms(self) -> iam.PolicyStatement:
        """For CodeDeploy itself, which describes alarms by name in one call."""
        return iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=["*"])

    @property
    def function_arn(self) -> str:
        return self._arn_of(self.function)

    def _arn_of(self, function: str) -> str:
        return self.stack.format_arn(
            service="lambda",
            resource="function",
            resource_name=function,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    @property
    def group_arn(self) -> str:
        return self.stack.format_arn(
            service="codedeploy",
            resource="deploymentgroup",
            resource_name=f"{self.application}/{self.group}",
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    @property
    def _hold_arn(self) -> str:
        return self._parameter_arn(release.hold_parameter(self.function))

    @property
    def _objection_arn(self) -> str:
        return self._parameter_arn(release.objection_parameter(self.function))

    def _parameter_arn(self, name: str) -> str:
        return self.stack.format_arn(service="ssm", resource="parameter", resource_name=name.removeprefix("/"))
