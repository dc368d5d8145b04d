"""A function of releases or of the monitor: its own code, its log group, and a role that allows only its calls."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from serinus.infra.constructs.function_role import create_function_role
from serinus.infra.constructs.handler_code import HandlerCode
from serinus.infra.constructs.platform import ARCHITECTURES, RUNTIMES
from serinus.infra.names import log_group_name


class ReleaseFunction(Construct):
    """``function``, which runs ``handler`` of module ``module`` with the permissions of ``statements``; its log
    and variables are encrypted by ``encryption_key``, or by AWS's.

    ``retries`` is how often Lambda runs it again after an error; a schedule invokes it again anyway.
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
        encryption_key: str | None = None,
        code_root: Path | None = None,
        retries: int = 0,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self, "Logs", log_group_name=log_group_name(name), removal_policy=cdk.RemovalPolicy.DESTROY
        )
        group = cast(logs.CfnLogGroup, log_group.node.default_child)
        group.retention_in_days, group.kms_key_id = log_retention_days, encryption_key
        self.role = create_function_role(self, log_group, work=statements, encryption_key=encryption_key)
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
            retry_attempts=retries,
        )
        resource = cast(lambda_.CfnFunction, self.function.node.default_child)
        resource.kms_key_arn = encryption_key
        # CDK names the role there, which the function's Role property already says (cfn-lint W3005).
        resource.add_deletion_override("DependsOn")
