"""Deploys the check's assemblies with the stock CDK CLI, and reads what CloudFormation did."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions

from serinus.cli import cdk
from serinus.cli.account_check.session import CheckSession
from serinus.cli.errors import CliError
from serinus.cli.rehearse.assemblies import ASSEMBLY
from serinus.cli.rehearse.background import BackgroundProcess
from serinus.cli.rehearse.workspace import Workspace
from serinus.infra.names import DEPLOYMENT_GROUP

#: A create: API Gateway, functions and the first check take a few minutes on AWS.
DEPLOY_TIMEOUT_S = 45 * 60.0
#: More than the half hour of the slowest return of an alias that people report.
ROLLBACK_TIMEOUT_S = 75 * 60.0
STACK_TYPE = "AWS::CloudFormation::Stack"
ALIAS_TYPE = "AWS::Lambda::Alias"
GROUP_TYPE = "AWS::CodeDeploy::DeploymentGroup"


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One event of a stack; ``at`` in epoch seconds."""

    id: str
    at: float
    type: str
    logical_id: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeployedRelease:
    """How an operation on the stack ended: ``status`` is the stack's, ``events`` the operation's, oldest first."""

    status: str
    events: tuple[StackEvent, ...]

    @property
    def succeeded(self) -> bool:
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")

    def first(self, type_or_id: str, *statuses: str) -> StackEvent | None:
        """The first event of a resource, by type or logical id, with one of ``statuses``."""
        matching = (e for e in self.events if type_or_id in (e.type, e.logical_id) and e.status in statuses)
        return next(matching, None)


def deploy(
    session: CheckSession, workspace: Workspace, name: str, *, timeout_s: float = DEPLOY_TIMEOUT_S
) -> DeployedRelease:
    """Deploy release ``name`` and wait until the stack is at rest. `CliError` if the CDK CLI fails before it has
    started an operation, or the stack does not come to rest."""
    release = workspace.releases[name]
    record_assets(session, release.project / ASSEMBLY)
    seen = {event.id for event in stack_events(session)}
    session.inventory.creating("stack", session.stack)
    with _deploying(session, workspace, release.project) as running:

        def at_rest() -> DeployedRelease | None:
            events = tuple(event for event in stack_events(session) if event.id not in seen)
            ends = [
                e for e in events if e.type == STACK_TYPE and e.logical_id == session.stack and _final(e.status)
            ]
            if ends:
                return DeployedRelease(ends[-1].status, events)
            if running.exit_code not in (None, 0):
                raise CliError(f"release {name} could not be deployed:\n{cdk.last_lines(running.log)}")
            return None

        return session.waiting.required(
            at_rest,
            timeout_s,
            what=f"deploying {name}",
            every_s=1.0 if session.target.cloud is not None else 5.0,
            working=lambda: _working(session),
        )


def _working(session: CheckSession) -> bool:
    """Whether time must not be skipped: the CLI or CloudFormation is at work, and waits for nothing."""
    if deployments_under_way(session):
        return False
    described = describe(session)
    return described is None or "ROLLBACK" not in described["StackStatus"]


def _final(status: str) -> bool:
    """Whether an operation has ended. A clean-up may follow, in which the stack serves already."""
    return not status.endswith("_IN_PROGRESS")


@contextmanager
def _deploying(session: CheckSession, workspace: Workspace, project: Path) -> Iterator[BackgroundProcess]:
    arguments = ["deploy", session.stack, "--app", str(project / ASSEMBLY), "--method", "direct"]
    arguments += ["--progress", "events", "--require-approval", "never"]
    variables = {**session.target.environment(), "AWS_REGION": session.caller.region}
    command, environment = cdk.prepare(workspace.folder, arguments, variables)
    running = BackgroundProcess(command, workspace.folder, environment, project / "deploy.log")
    try:
        yield running
    finally:
        running.end()


def describe(session: CheckSession, stack: str | None = None) -> dict[str, Any] | None:
    """The stack as CloudFormation describes it; None if there is none."""
    try:
        described: dict[str, Any] = session.client("cloudformation").describe_stacks(
            StackName=stack or session.stack
        )["Stacks"][0]
    except botocore.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return described


def stack_events(session: CheckSession) -> list[StackEvent]:
    """All events of the endpoint's stack, oldest first; none before it exists."""
    events: list[StackEvent] = []
    try:
        pages = (
            session.client("cloudformation")
            .get_paginator("describe_stack_events")
            .paginate(StackName=session.stack)
        )
        for page in pages:
            events += [_event(event) for event in page["StackEvents"]]
    except botocore.exceptions.ClientError as error:
        if "does not exist" not in str(error):
            raise
    return events[::-1]


def _event(event: Mapping[str, Any]) -> StackEvent:
    return StackEvent(
        event["EventId"],
        event["Timestamp"].timestamp(),
        event["ResourceType"],
        event["LogicalResourceId"],
        event["ResourceStatus"],
        event.get("ResourceStatusReason", ""),
    )


def deployments(session: CheckSession, *statuses: str) -> list[str]:
    """Ids of the endpoint's deployments, newest first; none before it has a deployment group."""
    try:
        listed: list[str] = session.client("codedeploy").list_deployments(
            applicationName=session.stack,
            deploymentGroupName=DEPLOYMENT_GROUP,
            **({"includeOnlyStatuses": list(statuses)} if statuses else {}),
        )["deployments"]
    except botocore.exceptions.ClientError as error:
        if "DoesNotExist" in error.response["Error"]["Code"]:
            return []
        raise
    return listed


def deployments_under_way(session: CheckSession) -> list[str]:
    return deployments(session, "Created", "Queued", "InProgress", "Baking", "Ready")


def record_assets(session: CheckSession, assembly: Path) -> None:
    """Record the files that the CDK CLI will upload to the bootstrap bucket and that are not there yet."""
    storage = session.client("s3")
    for bucket, key in _assets(assembly, session):
        try:
            storage.head_object(Bucket=bucket, Key=key)
        except botocore.exceptions.ClientError as error:
            # Forbidden: whether it is there is not known, so it stays.
            if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                session.inventory.creating("asset", f"{bucket}/{key}")


def _assets(assembly: Path, session: CheckSession) -> Iterator[tuple[str, str]]:
    for path in sorted(assembly.glob("*.assets.json")):
        for asset in json.loads(path.read_text(encoding="utf-8"))["files"].values():
            for destination in asset["destinations"].values():
                bucket = destination["bucketName"]
                bucket = bucket.replace("${AWS::AccountId}", session.caller.account)
                yield bucket.replace("${AWS::Region}", session.caller.region), destination["objectKey"]
