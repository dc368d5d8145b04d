"""`serinus rollout`: shows how far a release is, on AWS or offline, and stops it."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.console import notice, print_json, results
from serinus.cli.errors import CliError
from serinus.cli.target import AsJson, CloudPort, EndpointName, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.context import CommandContext
    from serinus.cli.endpoints import DeployedStack
    from serinus.cli.release_reader import AliasDeployment, AliasState, RolloutReader

app = typer.Typer(help="Follow, stop or explain the release of an endpoint.", no_args_is_help=True)

ROLLED_BACK = 3


@dataclass(frozen=True, slots=True)
class FollowedEndpoint:
    """A deployed endpoint whose releases are read."""

    endpoint: str
    context: "CommandContext"
    reader: "RolloutReader"

    def describe(self) -> "DeployedStack":
        """Its stack's current state."""
        from serinus.cli.endpoints import find_stack

        return find_stack(self.context.project, self.context.environment, self.endpoint, self.context.target)


@app.command()
def status(
    endpoint: EndpointName,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: AsJson = False,
) -> None:
    """Show which versions get traffic, how the last release went, the judge's last verdict and firing alarms.

    Example: [bold]serinus rollout status churn --local[/]
    """
    followed = open_rollout(endpoint, env, local, port)
    reader = followed.reader
    alias, last = reader.alias(), last_release(reader)
    verdicts = [] if last is None else reader.verdicts(last.created_at)
    firing = [alarm for alarm in reader.alarms() if alarm.state == "ALARM"]
    if as_json:
        print_json(
            {
                "alias": asdict(alias),
                "release": asdict(last) if last else None,
                "verdict": asdict(verdicts[-1]) if verdicts else None,
                "alarms": [asdict(alarm) for alarm in firing],
            }
        )
        return
    from serinus.cli.release_reader import describe_release

    results.print(describe_traffic(alias), markup=False)
    results.print(describe_release(last) if last else "no release by CodeDeploy yet", markup=False)
    if verdicts:
        results.print(f"judge: {verdicts[-1].verdict}: {verdicts[-1].reason}", markup=False)
    results.print(
        f"alarms: {', '.join(alarm.description or alarm.name for alarm in firing) or 'none is firing'}",
        markup=False,
    )
    if last is not None and last.rolled_back:
        notice(explain_hint(endpoint, followed.context))


@app.command()
def watch(endpoint: EndpointName, env: Environment = None, local: Local = False, port: CloudPort = None) -> None:
    """Follow a release until it ends. Exit code 0: promoted; 3: rolled back.

    Example: [bold]serinus rollout watch churn --local[/]
    """
    followed, printed = open_rollout(endpoint, env, local, port), set[str]()
    reader, pause_s = followed.reader, followed.context.target.pause_s
    while (last := newest_release(followed)) is None:
        _notice_once(printed, f"stack {reader.stack} is being updated; the release has not started")
        time.sleep(pause_s)
    if not last.under_way:
        notice("no release is under way; the last one:")
    while True:
        _notice_once(printed, describe_traffic(reader.alias()))
        for verdict in reader.verdicts(last.created_at):
            _notice_once(printed, f"judge: {verdict.verdict}: {verdict.reason}")
        last = reader.deployment(last.id)
        if not last.under_way:
            break
        time.sleep(pause_s)
    from serinus.cli.release_reader import describe_release

    results.print(describe_release(last), markup=False)
    if last.rolled_back:
        notice(explain_hint(endpoint, followed.context))
        raise typer.Exit(ROLLED_BACK)


@app.command()
def explain(
    endpoint: EndpointName,
    release: Annotated[
        str | None, typer.Argument(help="The release's id, such as d-A1B2C3D4E. Default: the last release.")
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write it to this HTML page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Explain why a release was promoted or undone: the evidence, the thresholds, and what would have changed it.

    The judge's own code is run again on the recorded metrics, and the page says if it comes to another verdict.
    This also works days later: CloudWatch keeps what the judge read for 15 days, and the logs hold its verdicts
    for log_retention_days.

    Example: [bold]serinus rollout explain churn --local --html why.html[/]
    """
    from serinus.cli.explain.evidence import read_evidence
    from serinus.cli.explain.explanation import explain as explain_release
    from serinus.cli.explain.page import render, sections, signal_table
    from serinus.cli.explain.replay import replay
    from serinus.cli.html_output import require_writable, write_page

    if html is not None:
        require_writable(html)
    followed = open_rollout(endpoint, env, local, port)
    reader = followed.reader
    chosen = find_release(followed) if release is None else find_named_release(followed, release)
    evidence = read_evidence(reader, chosen, followed.context.now().timestamp())
    explanation = explain_release(endpoint, evidence, replay(evidence, reader.codedeploy, reader.cloudwatch))
    if html is not None:
        write_page(html, render(explanation))
    if as_json:
        print_json(explanation.to_json())
        return
    results.print(explanation.headline, style="bold")
    results.print(explanation.subtitle)
    for number, (title, sentences) in enumerate(sections(explanation)):
        if sentences:
            results.print()
            results.print(title, style="bold")
        for sentence in sentences:
            results.print(f"  {sentence}")
        if number == 0 and explanation.signals:
            results.print()
            results.print(signal_table(explanation))


@app.command()
def stop(endpoint: EndpointName, env: Environment = None, local: Local = False, port: CloudPort = None) -> None:
    """Stop the release under way and return all traffic to the previous version.

    Example: [bold]serinus rollout stop churn --local[/]
    """
    followed = open_rollout(endpoint, env, local, port)
    reader, stack, flags = followed.reader, followed.describe(), followed.context.cli_flags
    running = next((deployment for deployment in reader.deployments(3) if deployment.under_way), None)
    if running is not None and running.restores:
        results.print(f"{running.id} is already returning the alias to version {running.canary}", markup=False)
    elif running is not None:
        reader.codedeploy.stop_deployment(deploymentId=running.id, autoRollbackEnabled=True)
        results.print(f"stopped {running.id}; all traffic returns to version {running.stable}", markup=False)
    elif stack.status == "UPDATE_IN_PROGRESS":
        reader.cloudformation.cancel_update_stack(StackName=reader.stack)
        results.print(f"cancelled the update of {reader.stack} before its release started", markup=False)
    else:
        raise CliError(
            f"no release of {endpoint} is under way. `serinus rollback {endpoint}{flags}` returns to the version "
            "before a release that was promoted."
        )


def open_rollout(endpoint: str, env: str | None, local: bool, port: int | None) -> FollowedEndpoint:
    """The endpoint's releases; raises `CliError` if it is not deployed, or being deployed for the first time."""
    from serinus.cli.context import resolve_context
    from serinus.cli.endpoints import stack_names
    from serinus.cli.release_reader import RolloutReader

    context = resolve_context(env, local=local, port=port)
    stack = stack_names(context.project, context.environment, [endpoint])[endpoint]
    followed = FollowedEndpoint(endpoint, context, RolloutReader(context.target, stack))
    stack_now = followed.describe()
    if stack_now.status == "CREATE_IN_PROGRESS":
        raise CliError(
            f"stack {stack_now.stack} is still being created, and CodeDeploy does not release a first version. "
            "Wait for the deploy to end."
        )
    return followed


def newest_release(followed: FollowedEndpoint) -> "AliasDeployment | None":
    """The release that is under way, or the last one; None while a stack's update has not started one yet.

    Raises `CliError` if there was none, or if an update failed before it started one.
    """
    stack, last = followed.describe(), last_release(followed.reader)
    if last is not None and (last.under_way or last.created_at >= stack.changed_at.timestamp()):
        return last
    if stack.status == "UPDATE_IN_PROGRESS":
        return None
    if "ROLLBACK" in stack.status and not (last and last.rolled_back):
        raise CliError(f"stack {stack.stack} is {stack.status}: its update failed before a release started.")
    if last is None:
        name = followed.endpoint
        raise CliError(
            f"{name} has had no release by CodeDeploy yet: its first version is deployed without one, and a "
            "deploy "
            "without changes makes none. Package another model or change a setting, then run "
            f"`serinus deploy {name}{followed.context.cli_flags}`."
        )
    return last


def find_release(followed: FollowedEndpoint) -> "AliasDeployment":
    """The newest release; raises `CliError` if there was none."""
    last = last_release(followed.reader)
    if last is None:
        raise CliError(
            f"{followed.endpoint} has had no release by CodeDeploy yet: its first version is deployed without one."
        )
    return last


def find_named_release(followed: FollowedEndpoint, release: str) -> "AliasDeployment":
    """The release of id ``release``; raises `CliError` if it is not one of the endpoint's."""
    import botocore.exceptions

    reader, name = followed.reader, followed.endpoint
    try:
        info = reader.codedeploy.get_deployment(deploymentId=release)["deploymentInfo"]
    except botocore.exceptions.ClientError as error:
        if not error.response["Error"]["Code"].startswith(("DeploymentDoesNotExist", "InvalidDeploymentId")):
            raise
        info = {}
    if info.get("applicationName") != reader.stack:
        listed = ", ".join(item.id for item in reader.deployments(5) if not item.restores) or "none yet"
        raise CliError(f"{name} has no release {release}. Its last releases are: {listed}.")
    chosen = reader.deployment(release)
    if chosen.restores:
        raise CliError(
            f"{release} returned traffic to version {chosen.canary}. Name the release that it undid"
            f"{f', {chosen.undoes}' if chosen.undoes else ''}."
        )
    return chosen


def explain_hint(endpoint: str, context: "CommandContext") -> str:
    """The command that says why a release was undone."""
    return f"`serinus rollout explain {endpoint}{context.cli_flags}` says why"


def last_release(reader: "RolloutReader") -> "AliasDeployment | None":
    """The newest deployment that is not a rollback."""
    return next((deployment for deployment in reader.each_deployment() if not deployment.restores), None)


def describe_traffic(alias: "AliasState") -> str:
    """Which versions get which share of requests, in words."""
    if alias.canary is None:
        return f"version {alias.version} answers all requests"
    return f"version {alias.canary} answers {alias.weight:.0%} of requests, version {alias.version} the rest"


def _notice_once(printed: set[str], line: str) -> None:
    if line not in printed:
        printed.add(line)
        notice(line)
