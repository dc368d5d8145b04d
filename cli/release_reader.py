"""Reads releases from AWS's APIs: alias, deployments, alarms, verdicts. The same on AWS and offline."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any

import botocore.exceptions

from serinus.cli.errors import CliError
from serinus.cli.log_tail import find_log_group
from serinus.cli.target import CloudTarget
from serinus.infra.names import (
    ALIAS,
    DEPLOYMENT_GROUP,
    DRIFT,
    FAILING,
    RELEASE_FUNCTIONS,
    hook_function_name,
    log_group_name,
    steady_alarm_name,
    task_function_name,
)
from serinus.lambda_handlers.hooks.app_spec import read_app_spec
from serinus.lambda_handlers.hooks.errors import BadDeployment

UNDER_WAY = ("Created", "Queued", "InProgress", "Baking", "Ready")
#: Errors for a missing application, group, log group or alarm: nothing was released yet.
_ABSENT = (
    "ApplicationDoesNotExistException",
    "DeploymentGroupDoesNotExistException",
    "ResourceNotFoundException",
    "NotFound",
)


@dataclass(frozen=True, slots=True)
class AliasState:
    """The versions of alias `live`: ``version``, and ``canary`` (or None) with its weight in [0, 1]."""

    version: str
    canary: str | None = None
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class DeploymentPhase:
    """One lifecycle event of a deployment; times are epoch seconds, None when not reached."""

    name: str
    status: str
    started_at: float | None
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class AliasDeployment:
    """A CodeDeploy deployment of the alias from ``stable`` to ``canary``. ``undoes`` is the id of the deployment
    that this one rolls back, where CodeDeploy names it."""

    id: str
    status: str
    stable: str
    canary: str
    created_at: float
    completed_at: float | None
    phases: tuple[DeploymentPhase, ...]
    error: str = ""
    undoes: str | None = None

    @property
    def restores(self) -> bool:
        """Whether it returns the alias to an earlier version. CodeDeploy says so of its own rollbacks only; a
        rollback of the stack may be a deployment too."""
        return self.undoes is not None or int(self.canary) < int(self.stable)

    @property
    def under_way(self) -> bool:
        return self.status in UNDER_WAY

    @property
    def rolled_back(self) -> bool:
        return self.status in ("Failed", "Stopped")


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of an endpoint."""

    name: str
    state: str
    since: float
    reason: str
    description: str


@dataclass(frozen=True, slots=True)
class JudgeVerdict:
    """The judge's verdict at ``at`` (epoch seconds) on version ``canary``."""

    at: float
    canary: str
    verdict: str
    reason: str

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> "JudgeVerdict":
        """From a line of the judge's log."""
        at = datetime.fromisoformat(line["time"]).timestamp()
        return cls(at, line["canary"], line["verdict"], line["reason"])


class RolloutReader:
    """Reads the rollouts of one endpoint, whose function and CodeDeploy application have the stack's name."""

    def __init__(self, target: CloudTarget, stack: str) -> None:
        self._target = target
        self.stack = stack

    @cached_property
    def functions(self) -> Any:
        return self._target.client("lambda")

    @cached_property
    def codedeploy(self) -> Any:
        return self._target.client("codedeploy")

    @cached_property
    def cloudformation(self) -> Any:
        return self._target.client("cloudformation")

    @cached_property
    def cloudwatch(self) -> Any:
        return self._target.client("cloudwatch")

    @cached_property
    def _logs(self) -> Any:
        return self._target.client("logs")

    def alias(self) -> AliasState:
        """The alias's current state."""
        alias = self.functions.get_alias(FunctionName=self.stack, Name=ALIAS)
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        for canary, weight in weights.items():
            return AliasState(alias["FunctionVersion"], canary, float(weight))
        return AliasState(alias["FunctionVersion"])

    def description(self, version: str) -> str:
        """A version's description: model and short bundle version."""
        configuration = self.functions.get_function_configuration(FunctionName=self.stack, Qualifier=version)
        return str(configuration.get("Description", ""))

    def deployments(self, most: int = 10) -> list[AliasDeployment]:
        """The endpoint's last deployments, newest first; none before the first release by CodeDeploy."""
        return list(islice(self.each_deployment(), most))

    def each_deployment(self) -> Iterator[AliasDeployment]:
        """The endpoint's deployments, newest first, each read when it is needed."""
        try:
            ids = self.codedeploy.list_deployments(
                applicationName=self.stack, deploymentGroupName=DEPLOYMENT_GROUP
            )["deployments"]
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return
            raise
        yield from map(self.deployment, ids)

    def alarms(self) -> list[Alarm]:
        """The alarms that the deployment group watches."""
        try:
            group = self.codedeploy.get_deployment_group(
                applicationName=self.stack, deploymentGroupName=DEPLOYMENT_GROUP
            )["deploymentGroupInfo"]
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return []
            raise
        names = [alarm["name"] for alarm in group.get("alarmConfiguration", {}).get("alarms", [])]
        if not names:
            return []
        described = self.cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
        return [_alarm(alarm) for alarm in described]

    def steady_alarms(self) -> list[Alarm]:
        """The alarms on what the endpoint serves, which stop no deployment; none with coverage "basic"."""
        names = [steady_alarm_name(self.stack, name) for name in (FAILING, RELEASE_FUNCTIONS, DRIFT)]
        return [_alarm(alarm) for alarm in self.cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]]

    def verdicts(self, since: float) -> list[JudgeVerdict]:
        """Verdicts of the judge, or of the post-traffic check in its place, after ``since`` (epoch seconds),
        oldest first, from their logs."""
        lines: list[dict[str, Any]] = []
        for function in (task_function_name(self.stack, "judge"), hook_function_name(self.stack, "after")):
            lines += self.journal(log_group_name(function), since)
        verdicts = [JudgeVerdict.read(line) for line in lines if line["message"] == "verdict"]
        return sorted(verdicts, key=lambda verdict: verdict.at)

    def journal(self, group: str, since: float) -> list[dict[str, Any]]:
        """What the functions of a release wrote to log ``group`` after ``since`` (epoch seconds), oldest first."""
        return list(_objects_in(self._logged(group, since)))

    def _logged(self, name: str, since: float) -> list[str]:
        """The lines of group ``name``, or of one that outlives its stack, after ``since`` (epoch seconds); none if
        there is no such group yet."""
        lines = self._lines_of(name, since)
        if lines is None and (group := find_log_group(self._logs, name)) != name:
            lines = self._lines_of(group, since)
        return lines or []

    def _lines_of(self, group: str, since: float) -> list[str] | None:
        """None if the group does not exist."""
        parameters = {"logGroupName": group, "startTime": max(0, int(since * 1000))}
        try:
            pages = self._logs.get_paginator("filter_log_events").paginate(**parameters)
            return [event["message"] for page in pages for event in page["events"]]
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise
            return None

    def deployment(self, deployment_id: str) -> AliasDeployment:
        """One deployment, as it stands now."""
        info = self.codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
        targets = self.codedeploy.batch_get_deployment_targets(
            deploymentId=deployment_id,
            targetIds=self.codedeploy.list_deployment_targets(deploymentId=deployment_id)["targetIds"],
        )["deploymentTargets"]
        target = targets[0]["lambdaTarget"]
        function = _function_info(info, target)
        return AliasDeployment(
            id=deployment_id,
            status=info["status"],
            stable=function["currentVersion"],
            canary=function["targetVersion"],
            created_at=info["createTime"].timestamp(),
            completed_at=_epoch(info.get("completeTime")),
            phases=tuple(_phase(event) for event in target.get("lifecycleEvents", [])),
            error=info.get("errorInformation", {}).get("message", ""),
            undoes=info.get("rollbackInfo", {}).get("rollbackTriggeringDeploymentId"),
        )


def _function_info(info: dict[str, Any], target: dict[str, Any]) -> dict[str, str]:
    """The versions by LambdaFunctionInfo's names: of the target, which may lack them before traffic is shifted, or
    of the AppSpec."""
    function: dict[str, str] = target.get("lambdaFunctionInfo", {})
    if "currentVersion" in function and "targetVersion" in function:
        return function
    try:
        return read_app_spec(info.get("revision", {}))
    except BadDeployment as error:
        raise CliError(f"deployment {info['deploymentId']}: {error}") from error


def _phase(event: dict[str, Any]) -> DeploymentPhase:
    return DeploymentPhase(
        event["lifecycleEventName"],
        event["status"],
        _epoch(event.get("startTime")),
        _epoch(event.get("endTime")),
    )


def _alarm(described: dict[str, Any]) -> Alarm:
    return Alarm(
        name=described["AlarmName"],
        state=described["StateValue"],
        since=described["StateUpdatedTimestamp"].timestamp(),
        reason=described.get("StateReason", ""),
        description=described.get("AlarmDescription", ""),
    )


def _objects_in(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The lines that are a journal's; Lambda writes others beside them."""
    for line in lines:
        if not line.startswith("{"):
            continue
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        if "message" in fields:
            yield fields


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def describe_release(release: AliasDeployment) -> str:
    """A release and its result so far, in words."""
    words = {
        "Succeeded": "was promoted",
        "Failed": "was rolled back",
        "Stopped": "was rolled back",
    }
    why = f": {release.error}" if release.error else ""
    how = words.get(release.status, "is under way")
    return f"release {release.id} of version {release.canary} over {release.stable} {how}{why}"
