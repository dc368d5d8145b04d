"""The inference function, its log group, and the published version behind alias `live`.

A version that was live must outlive the next release, since a rollback returns to it, and a version whose release
failed must not, or releasing the same bundle again fails: hence RETAIN_ON_UPDATE_OR_DELETE. CDK's own
`current_version` computes its hash only at the end of synth; this one is known at once, so that the version's
alarms can have the same hash.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from serinus.infra.constructs.function_role import create_function_role
from serinus.infra.constructs.handler_code import HandlerCode
from serinus.infra.constructs.platform import ARCHITECTURES, RUNTIMES
from serinus.infra.names import log_group_name

ENTRY_MODULE = "serinus.lambda_handlers.inference.handler"
HANDLER = f"{ENTRY_MODULE}.handler"
_HASH_DIGITS = 12
#: Lambda's own lines on a request are as large as ours. Those on crashes and timeouts are kept, which only the
#: JSON format allows. The function's lines are JSON already, so Lambda leaves them as they are; they state no
#: level, which counts as INFO.
#: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
#: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
_SYSTEM_LEVEL, _APPLICATION_LEVEL = lambda_.SystemLogLevel.WARN, lambda_.ApplicationLogLevel.INFO


class InferenceFunction(Construct):
    """``function``, its published ``version`` and the ``alias`` in front of it, which keeps ``provisioned``
    environments ready; ``snap_start`` restores versions from a snapshot of their init instead. ``live`` is the
    alias by name, for callers that need not wait until it has moved. ``tracing`` sends traces to X-Ray.
    ``encryption_key``, a key's ARN, encrypts log, variables and snapshots.

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
        retain_logs: bool = False,
        alias_name: str,
        snap_start: bool = False,
        provisioned: int | None = None,
        tracing: bool = False,
        encryption_key: str | None = None,
        code_root: Path | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        code = HandlerCode.of(ENTRY_MODULE, code_root, runtime if code_root else None)
        self.version_hash = _hash_version(
            HANDLER,
            code.sha256,
            *layer_hashes,
            description,
            runtime,
            architecture,
            memory_mb,
            timeout_s,
            dict(environment),
            _SYSTEM_LEVEL.value,
            _APPLICATION_LEVEL.value,
            *(["snapstart"] if snap_start else []),
            *(["tracing"] if tracing else []),
            *([encryption_key] if encryption_key else []),
            # A published version keeps writing to the group that it was published with.
            *(["retained logs"] if retain_logs else []),
        )
        self.log_group = self._create_log_group(name, log_retention_days, encryption_key)
        self.role = create_function_role(self, self.log_group, tracing=tracing, encryption_key=encryption_key)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=description,
            code=code.as_asset(),
            handler=HANDLER,
            runtime=RUNTIMES[runtime],
            architecture=ARCHITECTURES[architecture],
            memory_size=memory_mb,
            timeout=cdk.Duration.seconds(timeout_s),
            environment=dict(environment),
            layers=list(layers),
            role=self.role,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            system_log_level_v2=_SYSTEM_LEVEL,
            application_log_level_v2=_APPLICATION_LEVEL,
            reserved_concurrent_executions=reserved_concurrency,
        )
        resource = cast(lambda_.CfnFunction, self.function.node.default_child)
        # CDK names the role there, which the function's Role property already says (cfn-lint W3005).
        resource.add_deletion_override("DependsOn")
        if snap_start:
            resource.snap_start = lambda_.CfnFunction.SnapStartProperty(apply_on="PublishedVersions")
        resource.kms_key_arn = encryption_key
        if tracing:
            resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
        self.version = self._publish(description)
        self.alias = lambda_.Alias(
            self,
            "Alias",
            alias_name=alias_name,
            version=self.version,
            provisioned_concurrent_executions=provisioned,
        )
        self.live = lambda_.Function.from_function_attributes(
            self, "Live", function_arn=f"{self.function.function_arn}:{alias_name}", same_environment=True
        )

    def _publish(self, description: str) -> lambda_.Version:
        return lambda_.Version(
            self,
            f"Version{self.version_hash}",
            lambda_=self.function,
            description=description,
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )

    def _create_log_group(self, name: str, retention_days: int, encryption_key: str | None) -> logs.LogGroup:
        # Deleted with the endpoint: one left behind under this name would refuse the next deploy. `retain_logs`
        # changes both.
        group = logs.LogGroup(
            self, "Logs", log_group_name=log_group_name(name), removal_policy=cdk.RemovalPolicy.DESTROY
        )
        resource = cast(logs.CfnLogGroup, group.node.default_child)
        resource.retention_in_days, resource.kms_key_id = retention_days, encryption_key
        return group


def _hash_version(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_HASH_DIGITS]
