"""`serinus status`: every endpoint of an environment at a glance, offline or on AWS."""

from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli.console import notice, print_json, results
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.target import CloudPort, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.overview import Deployed, Overview


def status(
    endpoints: Annotated[
        list[str] | None, typer.Argument(help="Endpoints; all of the environment by default.")
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Say of each endpoint where it is, who answers, how its last release went and which alarms fire.

    Exit 1 when the cloud cannot be asked; what serinus.toml and the lock say is shown all the same.

    Example: [bold]serinus status --local[/]
    """
    from serinus.cli.context import options
    from serinus.cli.endpoints import choose_endpoints
    from serinus.cli.overview import observe, planned
    from serinus.cli.project import SETTINGS, find_project
    from serinus.cli.target import Target, choose
    from serinus.infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT
    from serinus.infra.settings import load_settings

    project = find_project()
    environment = env or (LOCAL_ENVIRONMENT if local else DEFAULT_ENVIRONMENT)
    settings = load_settings(project / SETTINGS, environment)
    wanted = choose_endpoints(settings, endpoints or [])
    found = [one for one in planned(project, environment) if one.name in wanted]
    place, trouble = "the offline cloud" if local else "AWS", ""
    try:
        target = choose(project, env, local=local, port=port)
        target = target if target.cloud else Target(None, settings.region)
        place = target.name
        found = [observe(one, target) for one in found]
    except WrongUsage:
        raise
    except CliError as error:
        trouble = str(error)
    if as_json:
        shown = [one.to_json() for one in found]
        print_json({"environment": environment, "place": place, "trouble": trouble, "endpoints": shown})
    else:
        here = options(environment, local=local)
        for one in found:
            results.print("\n".join(lines_of(one, here=here, asked=not trouble)), markup=False)
        notice(trouble or f"{environment} as {place} has it; times are UTC")
    if trouble:
        raise typer.Exit(1)


def lines_of(one: "Overview", *, here: str, asked: bool) -> list[str]:
    """An endpoint in words; ``here`` are the options with which other commands act on the same place."""
    pinned = f"{one.pinned_version[:12]} is pinned" if one.pinned_version else "no model is pinned"
    if one.deployed is None:
        if not asked:
            return [f"{one.name}  not known; {pinned}"]
        if one.trouble:
            return [f"{one.name}  {one.trouble}; {pinned}"]
        return [f"{one.name}  not deployed; {pinned}. `serinus deploy {one.name}{here}`"]
    deployed = one.deployed
    behind = f"; serinus.lock pins {(one.pinned_version or '')[:12]}, deploy to serve it" if one.behind else ""
    lines = {
        "url": deployed.url,
        "model": f"{deployed.model_version[:12]}{behind}",
        "traffic": traffic(deployed),
        "release": release(deployed),
        "alarms": alarms(deployed),
        "callers": callers(one.name, deployed, here),
        "stack": f"{one.stack} {deployed.status}, deployed {deployed.changed_at:%Y-%m-%d %H:%M:%S}",
    }
    return [one.name, *(f"  {title:<8} {words}" for title, words in lines.items())]


def traffic(deployed: "Deployed") -> str:
    """Who answers which share."""
    return ", ".join(
        f"version {one.version}{f' ({one.description})' if one.description else ''} {one.share:.0%}"
        for one in deployed.versions
    )


def callers(name: str, deployed: "Deployed", here: str) -> str:
    """What its callers show, to which kind of API."""
    from serinus.cli.request_auth import wants

    key = f": {deployed.key_id} (`serinus key {name}{here}` shows it)" if deployed.key_id else ""
    return f"{wants(deployed.auth)}{key}; {deployed.front.upper()} API"


def release(deployed: "Deployed") -> str:
    """How the last release went or goes."""
    from serinus.cli.commands.rollout import release_line

    return release_line(deployed.release) if deployed.release else "none by CodeDeploy yet"


def alarms(deployed: "Deployed") -> str:
    """How many alarms are in which state, and which fire and why."""
    if not deployed.alarms:
        return "none"
    counted = ", ".join(f"{count} {state}" for state, count in sorted(deployed.alarm_states.items()))
    firing = [f"{one.description or one.name}" for one in deployed.alarms if one.state == "ALARM"]
    return f"{counted}: {'; '.join(firing)}" if firing else counted
