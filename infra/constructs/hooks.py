"""The functions that check, judge and confirm a release, each with its own role.

A check is invoked once, by a caller that waits for its report, so Lambda retries it after a failure of its own.
That is safe: each run checks anew, and only the first report counts.

They run on the endpoint's own layers: they compare with the new version's golden set and signature, and the
comparison needs the runtime layer's NumPy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from serinus.infra.constructs.permissions import ReleasePermissions
from serinus.infra.constructs.release_function import ReleaseFunction
from serinus.infra.names import hook_function_name, task_function_name
from serinus.lambda_handlers.contract import release
from serinus.lambda_handlers.contract.monitored import ENV_COLLECTOR

_MODULES = "serinus.lambda_handlers.hooks"
#: A checker holds the golden set, NumPy and boto3; more memory is more CPU, and so an earlier answer.
_MEMORY_MB = 1024
#: Seconds for the whole golden set against a cold version that may be throttled meanwhile.
_CHECK_S = 300
#: Seconds for a judge's look: three attempts of a probe at 29 s, and the metrics.
_LOOK_S = 120
#: Lambda's own number of further attempts:
#: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
_RETRIES = 2


@dataclass(frozen=True, slots=True)
class HookPlatform:
    """The settings that all hooks share. ``collector`` is the function that keeps baselines of released models, if
    any does."""

    stack_name: str
    runtime: str
    architecture: str
    layers: Sequence[lambda_.ILayerVersion]
    environment: Mapping[str, str]
    log_retention_days: int
    permissions: ReleasePermissions
    encryption_key: str | None = None
    collector: str | None = None
    code_root: Path | None = None


class ReleaseHooks(Construct):
    """``before`` and ``after``, which CodeDeploy calls; ``first``, which CloudFormation calls for a first release,
    and which checks ``version``; ``judge`` on its ``schedule``, both None if nothing is judged. A release that is
    ``held`` waits for the judge after the switch; the judge may object to any other."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        platform: HookPlatform,
        version: str,
        judged: bool,
        held: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        objected = judged and not held
        self.objection = self._objection() if objected else None
        self.before = self._before()
        self.after = self._after(held=held, objected=objected)
        self.first = self._first(version)
        self.judge = self._judge(held) if judged else None
        self.schedule = self._every_minute(self.judge) if self.judge else None

    def _before(self) -> lambda_.Function:
        may = self._platform.permissions
        return self._create(
            "Before",
            name=hook_function_name(self._platform.stack_name, "before"),
            description="Checks a new version's golden set and signature before traffic",
            module="before_traffic",
            timeout_s=_CHECK_S,
            statements=[
                may.ask_versions(),
                may.read_deployment(),
                may.know_rollbacks(),
                may.answer_codedeploy(),
                *self._publish_reference(),
            ],
            variables=self._collector_variable(),
            retries=_RETRIES,
        )

    def _publish_reference(self) -> list[iam.PolicyStatement]:
        """Both functions that check a new version have its bundle, and so the baseline that it counts by."""
        collector = self._platform.collector
        return [self._platform.permissions.invoke(collector)] if collector else []

    def _collector_variable(self) -> dict[str, str]:
        return {ENV_COLLECTOR: self._platform.collector} if self._platform.collector else {}

    def _after(self, *, held: bool, objected: bool) -> lambda_.Function:
        may = self._platform.permissions
        return self._create(
            "After",
            name=hook_function_name(self._platform.stack_name, "after"),
            description="Confirms that the alias serves the new version, and judges its bake",
            module="after_traffic",
            timeout_s=_LOOK_S,
            statements=[
                may.ask_alias(),
                may.read_deployment(),
                may.know_rollbacks(),
                may.answer_codedeploy(),
                *([may.hold_deployment()] if held else []),
                *([may.read_metrics(), may.read_objection()] if objected else []),
            ],
            retries=_RETRIES,
        )

    def _first(self, version: str) -> lambda_.Function:
        return self._create(
            "First",
            name=task_function_name(self._platform.stack_name, "first"),
            description="Checks an endpoint's first version, which CodeDeploy does not deploy",
            module="first_release",
            timeout_s=_CHECK_S,
            statements=[self._platform.permissions.ask_versions(), *self._publish_reference()],
            # Not a property of the custom resource, which each release would then have to change.
            variables={release.ENV_VERSION: version, **self._collector_variable()},
            retries=_RETRIES,
        )

    def _judge(self, held: bool) -> lambda_.Function:
        may = self._platform.permissions
        return self._create(
            "Judge",
            name=task_function_name(self._platform.stack_name, "judge"),
            description="Compares the new version with the stable one every minute of a release",
            module="judge",
            timeout_s=_LOOK_S,
            statements=[
                may.ask_versions(),
                may.read_deployment(),
                may.find_deployments(),
                may.read_metrics(),
                *may.publish_verdict(),
                *([may.answer_codedeploy(), may.let_deployment_go()] if held else [may.object_to_deployment()]),
            ],
        )

    def _objection(self) -> ssm.CfnParameter:
        """Created here so that it is deleted with the stack; the judge writes its value."""
        return ssm.CfnParameter(
            self,
            "Objection",
            name=release.objection_parameter(self._platform.permissions.function),
            type="String",
            value=release.NO_OBJECTION,
            description="The judge's objection to a release, for the check after traffic",
        )

    def _every_minute(self, judge: lambda_.Function) -> events.Rule:
        # An event that could not be delivered at once is stale: the next minute's is better.
        target = targets.LambdaFunction(judge, retry_attempts=0, max_event_age=cdk.Duration.minutes(1))
        return events.Rule(
            self, "EveryMinute", schedule=events.Schedule.rate(cdk.Duration.minutes(1)), targets=[target]
        )

    def _create(
        self,
        construct_id: str,
        *,
        name: str,
        description: str,
        module: str,
        timeout_s: int,
        statements: Sequence[iam.PolicyStatement],
        variables: Mapping[str, str] | None = None,
        retries: int = 0,
    ) -> lambda_.Function:
        platform = self._platform
        return ReleaseFunction(
            self,
            construct_id,
            name=name,
            description=description,
            module=f"{_MODULES}.{module}",
            runtime=platform.runtime,
            architecture=platform.architecture,
            memory_mb=_MEMORY_MB,
            timeout_s=timeout_s,
            environment={**platform.environment, **(variables or {})},
            statements=statements,
            log_retention_days=platform.log_retention_days,
            layers=platform.layers,
            encryption_key=platform.encryption_key,
            code_root=platform.code_root,
            retries=retries,
        ).function
