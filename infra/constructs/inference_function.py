"""The function that answers predictions, its log group, and the published version behind alias `live`.

A version that was live must outlive the next release, since a rollback returns to it, and a version whose release
failed must not, or releasing the same bundle again fails: hence RETAIN_ON_UPDATE_OR_DELETE. CDK's own
`current_version` computes its hash only at the end of synth; this one is known at once, so that what watches the
version (its alarms) can carry the same hash.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

import lambda_handlers
from infra.handler_modules import handler_files

ENTRY_MODULE = "lambda_handlers.inference.handler"
ENTRY_FUNCTION = "handler"

RUNTIMES: Mapping[str, lambda_.Runtime] = {
    "python3.12": lambda_.Runtime.PYTHON_3_12,
    "python3.13": lambda_.Runtime.PYTHON_3_13,
    "python3.14": lambda_.Runtime.PYTHON_3_14,
}
ARCHITECTURES: Mapping[str, lambda_.Architecture] = {
    "x86_64": lambda_.Architecture.X86_64,
    "arm64": lambda_.Architecture.ARM_64,
}
_HASH_DIGITS = 12


class InferenceFunction(Construct):
    """``function``, its published ``version`` and the alias ``live``.

    ``version_hash`` (12 hex digits) changes with code, layers and configuration, and with nothing else.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        runtime: str,
        architecture: str,
        memory_mb: int,
        timeout_s: int,
        environment: Mapping[str, str],
        layers: Sequence[lambda_.ILayerVersion],
        layer_hashes: Sequence[str],
        reserved_concurrency: int | None,
        log_retention_days: int,
        alias_name: str,
        code_root: Path | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        root = code_root or Path(lambda_handlers.__file__).parents[1]
        configuration: dict[str, Any] = {
            "description": description,
            "runtime": runtime,
            "architecture": architecture,
            "memory_mb": memory_mb,
            "timeout_s": timeout_s,
            "environment": dict(environment),
        }
        files = handler_files(root, ENTRY_MODULE)
        self.log_group = self._create_log_group(name, log_retention_days)
        self.role = self._create_role()
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            code=only_files(root, files),
            handler=f"{ENTRY_MODULE}.{ENTRY_FUNCTION}",
            runtime=RUNTIMES[runtime],
            architecture=ARCHITECTURES[architecture],
            memory_size=memory_mb,
            timeout=cdk.Duration.seconds(timeout_s),
            environment=dict(environment),
            layers=list(layers),
            role=self.role,
            log_group=self.log_group,
            reserved_concurrent_executions=reserved_concurrency,
        )
        # CDK names the role there, which the function's Role property already says (cfn-lint W3005).
        cast(cdk.CfnResource, self.function.node.default_child).add_deletion_override("DependsOn")
        self.version_hash = _hash_version(root, files, layer_hashes, configuration)
        self.version = lambda_.Version(
            self,
            f"Version{self.version_hash}",
            lambda_=self.function,
            description=description,
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        self.alias = lambda_.Alias(self, "Alias", alias_name=alias_name, version=self.version)

    def _create_log_group(self, name: str, retention_days: int) -> logs.LogGroup:
        # Deleted with the endpoint: its name is fixed, and one left behind would refuse the next deploy.
        return logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{name}",
            retention=_RETENTION[retention_days],
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _create_role(self) -> iam.Role:
        """A role that may write this function's log lines, and nothing more."""
        write_logs = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self.log_group.log_group_arn]
        )
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"WriteLogs": iam.PolicyDocument(statements=[write_logs])},
        )


def only_files(root: Path, files: Sequence[Path]) -> lambda_.Code:
    """Lambda code of exactly ``files`` (relative to ``root``), their paths kept."""
    exclude = ["*"]
    folders = sorted({folder for file in files for folder in file.parents if folder != Path()})
    for folder in folders:
        exclude += [f"!/{folder.as_posix()}", f"/{folder.as_posix()}/*"]
    exclude += [f"!/{file.as_posix()}" for file in files]
    return lambda_.Code.from_asset(str(root), exclude=exclude, ignore_mode=cdk.IgnoreMode.GIT)


def _hash_version(
    root: Path, files: Sequence[Path], layer_hashes: Sequence[str], configuration: Mapping[str, Any]
) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.as_posix().encode() + b"\0" + hashlib.sha256((root / file).read_bytes()).digest())
    digest.update(json.dumps([list(layer_hashes), configuration], sort_keys=True).encode())
    return digest.hexdigest()[:_HASH_DIGITS]


_RETENTION: Mapping[int, logs.RetentionDays] = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
    1096: logs.RetentionDays.THREE_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    2192: logs.RetentionDays.SIX_YEARS,
    2557: logs.RetentionDays.SEVEN_YEARS,
    2922: logs.RetentionDays.EIGHT_YEARS,
    3288: logs.RetentionDays.NINE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}
