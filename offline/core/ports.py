"""The interfaces through which services use the cloud and each other, so that no service imports another.

`serinus.offline.cloud.wiring` fills `Ports` with the services and connects each before any starts.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from serinus.offline.core.clock import Clock
from serinus.offline.core.config import CloudConfig
from serinus.offline.core.steps import Steps

InvocationType = Literal["RequestResponse", "Event", "DryRun"]
#: Called with (region, alarm name, old state, new state, reason), on the event loop.
AlarmSubscriber = Callable[[str, str, str, str, str], None]


class CloudContext(Protocol):
    """The running cloud, as its parts see it."""

    @property
    def config(self) -> CloudConfig: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def steps(self) -> Steps: ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop; None before the cloud has started."""

    @property
    def slept_s(self) -> float:
        """Cloud seconds that passed between the end of the cloud whose state this one resumed and its start."""

    def client(self, service: str, region: str | None = None) -> Any:
        """A boto3 client of this cloud. Call it from worker threads only."""

    def save_soon(self) -> None:
        """Write the state at once if it is kept at all: after a step that must not be repeated."""


class InvokeResponse(Protocol):
    """The result of an invocation; ``function_error`` is "Unhandled" or None."""

    @property
    def payload(self) -> bytes: ...

    @property
    def function_error(self) -> str | None: ...

    @property
    def executed_version(self) -> str: ...


class FunctionInvoker(Protocol):
    """Lambda: invoking functions; raises `AwsError` if Lambda rejects the call."""

    def allows(
        self, region: str, function: str, qualifier: str | None, *, principal: str, source_arn: str
    ) -> bool:
        """Whether the function's resource policy lets ``principal`` invoke it for ``source_arn``."""

    def log_group(self, region: str, function: str) -> str:
        """The log group that the function's unpublished version writes to."""

    async def invoke(
        self,
        function: str,
        qualifier: str | None,
        payload: bytes,
        *,
        region: str,
        invocation_type: InvocationType = "RequestResponse",
        trace_id: str | None = None,
    ) -> InvokeResponse: ...


class AliasRouting(Protocol):
    """An alias: the version it names, and the other versions' shares of traffic."""

    version: str
    additional: dict[str, float]


class FunctionAliases(Protocol):
    """Lambda: reading and weighting aliases; raises `AwsError`."""

    def alias(self, region: str, function: str, name: str) -> AliasRouting: ...

    async def set_alias_weights(
        self, region: str, function: str, alias: str, *, version: str, additional: dict[str, float]
    ) -> None: ...


class FunctionRoles(Protocol):
    """IAM: the roles of functions, checked against the functions' calls."""

    def watch(self, access_key: str, role: str, session_name: str) -> None:
        """Check calls with ``access_key`` against the policies of ``role`` (an ARN) from now on."""

    def allows(self, role: str, action: str, resource: str, region: str) -> bool: ...


class MetricSink(Protocol):
    """CloudWatch: recording metrics."""

    def record(
        self,
        region: str,
        namespace: str,
        name: str,
        dimensions: dict[str, str],
        value: float,
        *,
        unit: str = "None",
        at: float | None = None,
        count: float = 1,
    ) -> None:
        """Record a value observed ``count`` times, at cloud time ``at`` (default: now)."""

    def embed(self, region: str, log_group: str, line: str) -> None:
        """Record the metrics that a log line embeds, if it does (EMF)."""


class LogSubscribers(Protocol):
    """CloudWatch Logs: the subscription filters of log groups."""

    def accept(self, region: str, group: str, stream: str, events: list[tuple[int, str]]) -> None:
        """Deliver what filters match of ``events`` (timestamp in ms, message), which were just stored.

        Storing and this call are one step on the event loop.
        """


class AlarmSource(Protocol):
    """CloudWatch: the states of alarms."""

    def alarm_state(self, region: str, name: str) -> str:
        """ "OK", "ALARM" or "INSUFFICIENT_DATA"; raises KeyError if the alarm does not exist."""

    def subscribe(self, callback: AlarmSubscriber) -> None: ...


class EventSink(Protocol):
    """EventBridge: the default bus of a region."""

    def publish(self, region: str, event: dict[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class DeploymentResult:
    """How a deployment ended: Succeeded, or Failed or Stopped and ``message`` says why."""

    status: str
    deployment_id: str
    message: str
    rollback_deployment_id: str | None = None


class AliasDeployer(Protocol):
    """CodeDeploy: shifting an alias for CloudFormation's CodeDeployLambdaAliasUpdate."""

    async def deploy_alias(
        self,
        region: str,
        application: str,
        group: str,
        *,
        function: str,
        alias: str,
        current_version: str,
        target_version: str,
        before_hook: str | None = None,
        after_hook: str | None = None,
        progress: Callable[[str], None] | None = None,
        since: float | None = None,
    ) -> DeploymentResult: ...


class DeploymentGroups(Protocol):
    """CodeDeploy: the application and group of a deployment."""

    def group_of(self, region: str, deployment_id: str) -> tuple[str, str] | None:
        """The application and group of a deployment; None if it does not exist."""


class WebAcls(Protocol):
    """AWS WAF: the web ACLs in front of stages."""

    def acl_of(self, region: str, stage_arn: str) -> str | None:
        """The ARN of the web ACL in front of a stage."""

    def drop_associations(self, region: str, is_gone: Callable[[str], bool]) -> None:
        """Drop the associations of deleted stages, by their ARN."""


class RestStages(Protocol):
    """API Gateway: the stages of REST APIs."""

    def stage_names(self, region: str, api_id: str) -> Collection[str] | None:
        """The names of a REST API's stages; None if the region has no such API."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port, each filled with the part of the cloud behind it."""

    functions: FunctionInvoker
    function_aliases: FunctionAliases
    function_roles: FunctionRoles
    metrics: MetricSink
    log_subscribers: LogSubscribers
    alarms: AlarmSource
    events: EventSink
    alias_deployer: AliasDeployer
    deployment_groups: DeploymentGroups
    web_acls: WebAcls
    rest_stages: RestStages
