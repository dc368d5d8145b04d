"""`serinus rollout`: how far a release is, on AWS or offline, and the brake."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import notice, print_json, results
from cli.errors import CliError
from cli.project import find_project
from cli.target import CloudPort, Environment, Local, choose, environment_for

if TYPE_CHECKING:
    from cli.rollouts import AliasState, Deployment, RolloutReader

app = typer.Typer(help="Follow the release of an endpoint, or stop it.", no_args_is_help=True)

Endpoint = Annotated[str, typer.Argument(help="Endpoint.")]

#: Real seconds between looks: AWS limits how often its APIs may be asked.
LOOK_EVERY_S = 5.0
LOOK_LOCALLY_EVERY_S = 0.5
ROLLED_BACK = 3
#: Cloud seconds of the judge's log that are read.
_VERDICTS_OF_S = 3 * 3600


@app.command()
def status(
    endpoint: Endpoint,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Say whom the alias names, how the last release went or goes, what the judge says and which alarms fire.

    Example: [bold]serinus rollout status churn --local[/]
    """
    reader = open_reader(endpoint, env, local, port)
    alias, last = reader.alias(), last_release(reader)
    said = [] if last is None else reader.verdicts(last.created_at)
    firing = [alarm for alarm in reader.alarms() if alarm.state == "ALARM"]
    if as_json:
        print_json(
            {
                "alias": asdict(alias),
                "release": asdict(last) if last else None,
                "verdict": asdict(said[-1]) if said else None,
                "alarms": [asdict(alarm) for alarm in firing],
            }
        )
        return
    results.print(shares(alias), markup=False)
    results.print(release_line(last) if last else "no release by CodeDeploy yet", markup=False)
    if said:
        results.print(f"judge: {said[-1].verdict}: {said[-1].reason}", markup=False)
    results.print(
        f"alarms: {', '.join(alarm.description or alarm.name for alarm in firing) or 'none'}", markup=False
    )


@app.command()
def watch(endpoint: Endpoint, env: Environment = None, local: Local = False, port: CloudPort = None) -> None:
    """Follow a release until it is over. Exit 0 when it was promoted, 3 when it was rolled back.

    Example: [bold]serinus rollout watch churn --local[/]
    """
    reader = open_reader(endpoint, env, local, port)
    last = last_release(reader)
    if last is None:
        raise CliError(f"{endpoint} has had no release by CodeDeploy yet. `serinus deploy {endpoint}` makes one.")
    told: set[str] = set()
    while True:
        _tell_once(told, shares(reader.alias()))
        for said in reader.verdicts(last.created_at):
            _tell_once(told, f"judge: {said.verdict}: {said.reason}")
        last = next(one for one in reader.deployments() if one.id == last.id)
        if not last.under_way:
            break
        time.sleep(LOOK_LOCALLY_EVERY_S if local else LOOK_EVERY_S)
    results.print(release_line(last), markup=False)
    if last.rolled_back:
        raise typer.Exit(ROLLED_BACK)


@app.command()
def stop(endpoint: Endpoint, env: Environment = None, local: Local = False, port: CloudPort = None) -> None:
    """Stop the release under way and put the alias back.

    Example: [bold]serinus rollout stop churn --local[/]
    """
    reader = open_reader(endpoint, env, local, port)
    running = next((one for one in reader.deployments() if one.under_way), None)
    if running is None:
        raise CliError(
            f"no release of {endpoint} is under way. `serinus rollback {endpoint}` goes back after one is over."
        )
    reader.codedeploy.stop_deployment(deploymentId=running.id, autoRollbackEnabled=True)
    results.print(f"stopped {running.id}; the alias goes back to version {running.stable}", markup=False)


def open_reader(endpoint: str, env: str | None, local: bool, port: int | None) -> "RolloutReader":
    """What reads the endpoint's rollouts at the chosen place; `CliError` where it is not deployed."""
    from cli.endpoints import find_endpoint
    from cli.rollouts import RolloutReader

    project = find_project()
    target = choose(project, local=local, port=port)
    found = find_endpoint(project, environment_for(target, env), endpoint, target)
    return RolloutReader(target, found.stack)


def last_release(reader: "RolloutReader") -> "Deployment | None":
    """The newest deployment that is not a rollback."""
    return next((one for one in reader.deployments() if one.undoes is None), None)


def shares(alias: "AliasState") -> str:
    """Whom the alias names, in words."""
    if alias.canary is None:
        return f"version {alias.version} answers all requests"
    return f"version {alias.canary} answers {alias.weight:.0%} of requests, version {alias.version} the rest"


def release_line(release: "Deployment") -> str:
    """How a release went or goes, in words."""
    words = {
        "Succeeded": "was promoted",
        "Failed": "was rolled back",
        "Stopped": "was rolled back",
    }
    why = f": {release.error}" if release.error else ""
    how = words.get(release.status, "is under way")
    return f"release {release.id} of version {release.canary} over {release.stable} {how}{why}"


def _tell_once(told: set[str], line: str) -> None:
    if line not in told:
        told.add(line)
        notice(line)
