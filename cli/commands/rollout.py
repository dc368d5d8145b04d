"""`serinus rollout`: how far a release is, on AWS or offline, and the brake."""

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.console import notice, print_json, results
from serinus.cli.errors import CliError
from serinus.cli.target import CloudPort, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.context import Place
    from serinus.cli.endpoints import DeployedStack
    from serinus.cli.release_reader import AliasState, Deployment, RolloutReader

app = typer.Typer(help="Follow the release of an endpoint, or stop it.", no_args_is_help=True)

Endpoint = Annotated[str, typer.Argument(help="Endpoint.")]

ROLLED_BACK = 3


@dataclass(frozen=True, slots=True)
class Followed:
    """A deployed endpoint whose releases are looked at."""

    endpoint: str
    place: "Place"
    reader: "RolloutReader"

    def describe(self) -> "DeployedStack":
        """Its stack, as it stands now."""
        from serinus.cli.endpoints import find_stack

        return find_stack(self.place.project, self.place.environment, self.endpoint, self.place.target)


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
    reader = follow(endpoint, env, local, port).reader
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
        f"alarms: {', '.join(alarm.description or alarm.name for alarm in firing) or 'none fires'}", markup=False
    )


@app.command()
def watch(endpoint: Endpoint, env: Environment = None, local: Local = False, port: CloudPort = None) -> None:
    """Follow a release until it is over. Exit 0 when it was promoted, 3 when it was rolled back.

    Example: [bold]serinus rollout watch churn --local[/]
    """
    followed, told = follow(endpoint, env, local, port), set[str]()
    reader, pause_s = followed.reader, followed.place.target.pause_s
    while (last := newest_release(followed)) is None:
        _tell_once(told, f"stack {reader.stack} is being updated; the release has not begun")
        time.sleep(pause_s)
    while True:
        _tell_once(told, shares(reader.alias()))
        for said in reader.verdicts(last.created_at):
            _tell_once(told, f"judge: {said.verdict}: {said.reason}")
        last = reader.deployment(last.id)
        if not last.under_way:
            break
        time.sleep(pause_s)
    results.print(release_line(last), markup=False)
    if last.rolled_back:
        raise typer.Exit(ROLLED_BACK)


@app.command()
def stop(endpoint: Endpoint, env: Environment = None, local: Local = False, port: CloudPort = None) -> None:
    """Stop the release under way and put the alias back.

    Example: [bold]serinus rollout stop churn --local[/]
    """
    followed = follow(endpoint, env, local, port)
    reader, stack, here = followed.reader, followed.describe(), followed.place.here
    running = next((one for one in reader.deployments(3) if one.under_way), None)
    if running is not None and running.undoes is not None:
        results.print(f"{running.id} already puts the alias back to version {running.canary}", markup=False)
    elif running is not None:
        reader.codedeploy.stop_deployment(deploymentId=running.id, autoRollbackEnabled=True)
        results.print(f"stopped {running.id}; the alias goes back to version {running.stable}", markup=False)
    elif stack.status == "UPDATE_IN_PROGRESS":
        reader.cloudformation.cancel_update_stack(StackName=reader.stack)
        results.print(f"cancelled the update of {reader.stack} before its release began", markup=False)
    else:
        raise CliError(
            f"no release of {endpoint} is under way. `serinus rollback {endpoint}{here}` goes back from one "
            "that was promoted."
        )


def follow(endpoint: str, env: str | None, local: bool, port: int | None) -> Followed:
    """The endpoint's releases at the chosen place; `CliError` where it is not deployed, or only just being so."""
    from serinus.cli.context import stand
    from serinus.cli.endpoints import stack_names
    from serinus.cli.release_reader import RolloutReader

    place = stand(env, local=local, port=port)
    stack = stack_names(place.project, place.environment, [endpoint])[endpoint]
    followed = Followed(endpoint, place, RolloutReader(place.target, stack))
    found = followed.describe()
    if found.status == "CREATE_IN_PROGRESS":
        raise CliError(
            f"stack {found.stack} is still being created, and CodeDeploy has no part in a first version. "
            "Wait for the deploy to end."
        )
    return followed


def newest_release(followed: Followed) -> "Deployment | None":
    """The release that is under way or was the last; None while a stack's update is still to begin one.

    Raises `CliError` where there was none, or an update has come to nothing before one began.
    """
    stack, last = followed.describe(), last_release(followed.reader)
    if last is not None and (last.under_way or last.created_at >= stack.changed_at.timestamp()):
        return last
    if stack.status == "UPDATE_IN_PROGRESS":
        return None
    if "ROLLBACK" in stack.status and not (last and last.rolled_back):
        raise CliError(f"stack {stack.stack} is {stack.status}: its update failed before a release began.")
    if last is None:
        name = followed.endpoint
        raise CliError(
            f"{name} has had no release by CodeDeploy yet. `serinus deploy {name}{followed.place.here}` makes one."
        )
    return last


def last_release(reader: "RolloutReader") -> "Deployment | None":
    """The newest deployment that is not a rollback."""
    return next((one for one in reader.each_deployment() if one.undoes is None), None)


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
