"""`serinus deploy`: runs the stock CDK CLI, with bootstrap before it and the endpoints' addresses after it."""

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli import cdk
from serinus.cli.bootstrap import bootstrap
from serinus.cli.console import notice, print_json, results, step
from serinus.cli.errors import CliError, Interrupted, ToolFailed
from serinus.cli.project_lock import project_lock
from serinus.cli.target import AsJson, CloudPort, CloudTarget, EndpointNames, Environment, Local, local_hint

if TYPE_CHECKING:
    from serinus.cli.context import CommandContext
    from serinus.infra.settings import Settings

LOG = Path(".serinus/local/cdk.log")


def deploy(
    endpoints: EndpointNames = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    hotfix: Annotated[
        bool,
        typer.Option(
            "--hotfix",
            help="Skip the judged part of the release, the bake: shift all traffic as soon as the pre-traffic "
            "check passes. For this deploy only.",
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="With --local: print the CDK CLI's output, which is otherwise printed only if it fails. On AWS "
            "it is always printed.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Deploy endpoints with the project's pinned CDK CLI: to AWS, or to the offline cloud with --local.

    The bundles are those that serinus.lock pins for the environment; endpoints without one are left out. A new
    version is released by the rollout strategy in serinus.toml: the pre-traffic check sends it requests with known
    answers, then traffic shifts while a judge compares it with the previous version. When the release has ended,
    the command prints each endpoint's URL and a curl command that calls it.

    Example: [bold]serinus deploy churn --local[/]
    """
    from serinus.cli.context import resolve_context
    from serinus.cli.endpoints import curl_line, deployable_stacks, example_rows, find_endpoint
    from serinus.cli.failed_deploy import state_after_failure
    from serinus.cli.request_auth import describe_auth
    from serinus.cli.shared_stack import delete_unused
    from serinus.infra.names import SETTINGS
    from serinus.infra.settings import load_settings

    context = resolve_context(env, local=local, port=port)
    project, environment, target = context.project, context.environment, context.target
    stacks = deployable_stacks(project, environment, endpoints or [])
    settings = load_settings(project / SETTINGS, environment)
    _warn_of_orphans(context, settings)
    log = project / LOG if local and not verbose else None
    began = time.monotonic()
    if hotfix and log is not None:  # synth prints it itself, but its output goes to the log
        notice("hotfix: new versions get all traffic once the pre-traffic check passes, without a bake or a judge")
    try:
        with project_lock(project, wait=True):
            _deploy(context, stacks, log, hotfix=hotfix)
            if settings.shared_stack is None:
                try:
                    delete_unused(target, settings, stacks.values())
                except CliError as error:  # the endpoints are deployed
                    notice(str(error))
    except ToolFailed:
        for name, stack in stacks.items():
            for sentence in state_after_failure(context, name, stack):
                notice(sentence)
        raise
    except KeyboardInterrupt as interrupt:
        updating = updating_stacks(target, stacks)
        releases = "; ".join(
            f"the release of {name} continues: {follow_hint(name, context.cli_flags)}" for name in updating
        )
        raise Interrupted(f"interrupted; {releases or 'no release had started'}") from interrupt
    deployed = [find_endpoint(project, environment, name, target) for name in stacks]
    if as_json:
        print_json([endpoint.to_json() for endpoint in deployed])
        return
    notice(f"deployed to {target.name} in {time.monotonic() - began:.1f} s")
    for endpoint in deployed:
        results.print(f"{endpoint.name}  model {endpoint.model_version[:12]}  {endpoint.url}")
        notice(f"{endpoint.name} requires {describe_auth(endpoint.auth)}")
        notice(curl_line(endpoint, example_rows(project, environment, endpoint.name), target))


def _warn_of_orphans(context: "CommandContext", settings: "Settings") -> None:
    """Name the stacks that this deploy leaves behind. A job that deploys need not be allowed to list stacks."""
    from serinus.cli.orphaned_stacks import describe_orphan, find_orphans

    with contextlib.suppress(CliError):
        for orphan in find_orphans(context.target, settings):
            notice(f"warning: {describe_orphan(orphan, context.environment, context.cli_flags)}")


def _deploy(context: "CommandContext", stacks: Mapping[str, str], log: Path | None, *, hotfix: bool) -> None:
    """Run the CDK CLI on ``stacks`` (by endpoint) once no update of theirs is in progress; its output goes to
    ``log``, if any."""
    from serinus.cli.deployed_changes import require_separate_changes

    project, target = context.project, context.target
    # CloudFormation rejects updates of a stack that is being updated, and the CDK CLI does not wait.
    updating = updating_stacks(target, stacks)
    for name, status in updating.items():
        notice(f"waiting for {stacks[name]}, which is {status}: {follow_hint(name, context.cli_flags)}")
    while updating:
        time.sleep(target.pause_s)
        updating = updating_stacks(target, stacks)
    for name, stack in stacks.items():
        _require_alias_in_sync(context, name, stack)
        unprotect_failed_create(target, stack)
        require_separate_changes(context, name, stack)
    if log is not None:
        log.unlink(missing_ok=True)
    approval = []
    if target.cloud is not None:
        bootstrap(project, target, log)
        approval = ["--require-approval", "never"]
    cdk_context = ["-c", f"env={context.environment}", *(["-c", "hotfix=true"] if hotfix else [])]
    command = ["deploy", *stacks.values(), *cdk_context, "--progress", "events", *approval]
    if log is None:
        try:
            cdk.run(project, command, target.environment())
        except ToolFailed as error:
            if target.cloud is None and not _has_aws_credentials():
                raise ToolFailed(
                    f"{error}; no AWS credentials were found.{local_hint()}", error.exit_code
                ) from error
            raise
    else:
        with step(f"deploying {', '.join(stacks)}"):
            cdk.run(project, command, target.environment(), log=log)


def _has_aws_credentials() -> bool:
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.Session().get_credentials() is not None
    except BotoCoreError:  # a profile that does not exist
        return False


def _require_alias_in_sync(context: "CommandContext", name: str, stack: str) -> None:
    """`CliError` if the alias does not name the version that the stack records: CodeDeploy would refuse to shift
    it, and CloudFormation would restore the recorded version."""
    import botocore.exceptions

    from serinus.cli.endpoints import describe_stack
    from serinus.cli.release_reader import RolloutReader

    recorded = live = None
    # The stack may not exist yet; the CDK CLI reports other errors better.
    with contextlib.suppress(botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError, CliError):
        described = describe_stack(context.target, stack)
        recorded = described.recorded_version if described else None
        live = RolloutReader(context.target, stack).alias().version
    if recorded and live and recorded != live:
        raise CliError(
            f"version {live} answers all requests of {name}, but its stack records {recorded}, and a deploy would "
            f"restore that version. Run `serinus rollback {name}{context.cli_flags}` to update the stack first."
        )


def unprotect_failed_create(target: CloudTarget, stack: str) -> None:
    """Lift the protection of ``stack`` if its first create was rolled back: the CDK CLI protects a stack before it
    is created, and has to delete one that failed before it can create it again."""
    import botocore.exceptions

    from serinus.cli.endpoints import describe_stack

    # The CDK CLI reports missing credentials better.
    with contextlib.suppress(botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError, CliError):
        described = describe_stack(target, stack)
        if described is not None and described.protected and described.status == "ROLLBACK_COMPLETE":
            target.client("cloudformation").update_termination_protection(
                StackName=stack, EnableTerminationProtection=False
            )


def updating_stacks(target: CloudTarget, stacks: Mapping[str, str]) -> dict[str, str]:
    """Status by endpoint of those ``stacks`` that an earlier deploy is still updating."""
    import botocore.exceptions

    statuses: dict[str, str] = {}
    for name, stack in stacks.items():
        # The stack may not exist yet; the CDK CLI reports other errors better.
        with contextlib.suppress(botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
            cloudformation = target.client("cloudformation")
            status: str = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
                statuses[name] = status
    return statuses


def follow_hint(name: str, flags: str) -> str:
    """The commands that follow and stop a release that is under way."""
    return f"`serinus rollout watch {name}{flags}` follows it, `serinus rollout stop {name}{flags}` stops it"
