"""A function that serves releases: its code alone, its log group, and a role that allows only what it calls."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.handler_code import HandlerCode
from infra.constructs.platform import ARCHITECTURES, RUNTIMES
from infra.names import log_group_name


class ReleaseFunction(Construct):
    """``function``, which runs ``handler`` of module ``module`` and may do what ``statements`` say.

    It is never tried again by itself: a schedule asks again, and whoever waits for an answer has a time limit.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        module: str,
        runtime: str,
        architecture: str,
        memory_mb: int,
        timeout_s: int,
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement],
        log_retention_days: int,
        layers: Sequence[lambda_.ILayerVersion] = (),
        code_root: Path | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self, "Logs", log_group_name=log_group_name(name), removal_policy=cdk.RemovalPolicy.DESTROY
        )
        cast(logs.CfnLogGroup, log_group.node.default_child).retention_in_days = log_retention_days
        self.role = _create_role(self, log_group, statements)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            code=HandlerCode.of(module, code_root).as_asset(),
            handler=f"{module}.handler",
            runtime=RUNTIMES[runtime],
            architecture=ARCHITECTURES[architecture],
            memory_size=memory_mb,
            timeout=cdk.Duration.seconds(timeout_s),
            environment=dict(environment),
            layers=list(layers),
            role=self.role,
            log_group=log_group,
            retry_attempts=0,
        )
        # CDK names the role there, which the function's Role property already says (cfn-lint W3005).
        cast(cdk.CfnResource, self.function.node.default_child).add_deletion_override("DependsOn")


def _create_role(
    scope: Construct, log_group: logs.LogGroup, statements: Sequence[iam.PolicyStatement]
) -> iam.Role:
    write_logs = iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
    )
    policies = {"WriteLogs": iam.PolicyDocument(statements=[write_logs])}
    if statements:
        policies["Work"] = iam.PolicyDocument(statements=list(statements))
    return iam.Role(
        scope,
        "Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies=policies,
    )
