"""The monitor of an environment: a bucket, the function that collects into it, and the one that looks each hour.

Endpoints' logs reach the collector by subscription filters in the endpoints' own stacks, which name it without a
reference. The bucket outlives the stack: it holds what no deploy can make again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from serinus.infra.constructs.model_layers import create_runtime_layer
from serinus.infra.constructs.monitoring_alarms import MonitoringAlarms
from serinus.infra.constructs.monitoring_permissions import MonitoringPermissions
from serinus.infra.constructs.release_function import ReleaseFunction
from serinus.infra.names import ALIAS, COLLECTOR, MONITOR, SHARED_OUTPUTS, log_group_name, shared_function_name
from serinus.infra.release import LayerZip
from serinus.infra.settings import Endpoint, monitored_settings
from serinus.lambda_handlers.contract import release
from serinus.lambda_handlers.contract.monitored import ENV_BUCKET, ENV_MONITORED

_MODULES = "serinus.lambda_handlers.monitoring"
_COLLECTOR_MB, _MONITOR_MB = 256, 512
#: Seconds to unpack a batch and write it; and to look at all endpoints of an environment.
_COLLECT_S, _LOOK_S = 60, 300
#: Minute of each hour at which the monitor looks at the hour before: lines come at most some minutes late.
LOOK_MINUTE = "10"
#: Days that objects are kept, by prefix. References are kept for ever: a version may be released again.
KEPT_DAYS = {"lines": 7, "hours": 400, "state": 400, "reports": 400}


@dataclass(frozen=True, slots=True)
class MonitoredEnvironment:
    """The environment whose ``endpoints`` are watched, in the account of the stack."""

    project: str
    environment: str
    endpoints: Sequence[Endpoint]


class Monitoring(Construct):
    """Watches the endpoints of ``watched``, on the runtime layer ``runtime_zip`` of the first of them. Its alarms
    publish to ``topic_arn``; ``encryption_key``, a key's ARN, encrypts the bucket."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watched: MonitoredEnvironment,
        runtime_zip: LayerZip,
        topic_arn: str | None,
        encryption_key: str | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._watched = watched
        self.bucket = self._create_bucket(encryption_key)
        may = MonitoringPermissions(self.bucket, encryption_key)
        self.collector = self._create_collector(may)
        self.monitor = self._create_monitor(may, runtime_zip)
        self._look_hourly()
        MonitoringAlarms(
            self,
            "Alarms",
            monitor=self._name(MONITOR),
            collector=self._name(COLLECTOR),
            topic_arn=topic_arn,
        )
        stack = cdk.Stack.of(self)
        for key, value in (
            (SHARED_OUTPUTS.bucket, self.bucket.bucket_name),
            (SHARED_OUTPUTS.monitor, self.monitor.function_name),
            (SHARED_OUTPUTS.collector, self.collector.function_name),
        ):
            cdk.CfnOutput(stack, key, value=value)

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """The alarms on the monitor itself."""
        return (self._name(MONITOR), self._name(COLLECTOR))

    def _name(self, task: str) -> str:
        return shared_function_name(self._watched.project, self._watched.environment, task)

    def _create_bucket(self, encryption_key: str | None) -> s3.Bucket:
        key = kms.Key.from_key_arn(self, "GivenKey", encryption_key) if encryption_key else None
        return s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            # One data key for many objects, instead of a call of KMS for each.
            bucket_key_enabled=True if key else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            lifecycle_rules=[
                s3.LifecycleRule(id=prefix, prefix=f"{prefix}/", expiration=cdk.Duration.days(days))
                for prefix, days in KEPT_DAYS.items()
            ],
            # Not deleted with the stack; one that a failed first deploy leaves behind is empty, and is deleted.
            removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )

    def _create_collector(self, may: MonitoringPermissions) -> lambda_.Function:
        config = self._watched.endpoints[0].settings
        collector = ReleaseFunction(
            self,
            "Collector",
            name=self._name(COLLECTOR),
            description="Keeps what endpoints counted, and the baselines of released models",
            module=f"{_MODULES}.collector",
            runtime=config.runtime,
            architecture=config.architecture,
            memory_mb=_COLLECTOR_MB,
            timeout_s=_COLLECT_S,
            environment={ENV_BUCKET: self.bucket.bucket_name},
            statements=may.collect(),
            log_retention_days=config.log_retention_days,
            # A batch is written under a name that follows from its lines, so it may be delivered again.
            retries=2,
        ).function
        stack = cdk.Stack.of(self)
        prefix = log_group_name(f"{self._watched.project}-{self._watched.environment}-")
        lambda_.CfnPermission(
            self,
            "LogsMayInvoke",
            action="lambda:InvokeFunction",
            function_name=collector.function_arn,
            principal="logs.amazonaws.com",
            source_account=stack.account,
            # CloudWatch Logs names a group with a star at its end.
            source_arn=stack.format_arn(
                service="logs",
                resource="log-group",
                resource_name=f"{prefix}*:*",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            ),
        )
        return collector

    def _create_monitor(self, may: MonitoringPermissions, runtime_zip: LayerZip) -> lambda_.Function:
        first = self._watched.endpoints[0].settings
        layer = create_runtime_layer(
            self,
            "Runtime",
            name=self._name(MONITOR),
            built=runtime_zip,
            runtime=first.runtime,
            architecture=first.architecture,
        )
        by_function = {endpoint.stack_name: endpoint.settings.monitor for endpoint in self._watched.endpoints}
        return ReleaseFunction(
            self,
            "Monitor",
            name=self._name(MONITOR),
            description="Compares each hour what endpoints counted with their baselines",
            module=f"{_MODULES}.monitor",
            runtime=first.runtime,
            architecture=first.architecture,
            memory_mb=_MONITOR_MB,
            timeout_s=_LOOK_S,
            environment={
                "OPENBLAS_NUM_THREADS": "1",
                ENV_BUCKET: self.bucket.bucket_name,
                ENV_MONITORED: monitored_settings(by_function),
                release.ENV_ALIAS: ALIAS,
            },
            statements=[*may.compare(), may.read_metrics(), may.publish_findings()],
            log_retention_days=first.log_retention_days,
            layers=[layer],
        ).function

    def _look_hourly(self) -> None:
        # The next hour's look reads what a failed one has not: further attempts would only collide with it.
        target = targets.LambdaFunction(self.monitor, retry_attempts=0, max_event_age=cdk.Duration.minutes(10))
        events.Rule(
            self,
            "EveryHour",
            schedule=events.Schedule.cron(minute=LOOK_MINUTE),
            targets=[cast(events.IRuleTarget, target)],
        )
