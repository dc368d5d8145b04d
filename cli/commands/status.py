"""`serinus status`: summarises every endpoint of an environment, offline or on AWS."""

from typing import TYPE_CHECKING

import typer

from serinus.cli.console import notice, print_json, results
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.target import AsJson, CloudPort, EndpointNames, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.orphaned_stacks import TaggedStack
    from serinus.cli.overview import DeployedEndpoint, EndpointOverview
    from serinus.cli.shared_stack import SharedOverview
    from serinus.cli.target import CloudTarget
    from serinus.infra.settings import Settings


def status(
    endpoints: EndpointNames = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    as_json: AsJson = False,
) -> None:
    """Show each endpoint's URL, versions and their traffic, last release, alarms and how callers authenticate.

    Unless endpoints are named, it also shows the stacks of those that serinus.toml no longer has.

    Exit code 1: the cloud could not be reached. The command then shows only serinus.toml and serinus.lock.

    Example: [bold]serinus status --local[/]
    """
    from serinus.cli.context import cli_flags
    from serinus.cli.endpoints import select_endpoints
    from serinus.cli.orphaned_stacks import describe_orphan
    from serinus.cli.overview import observe, planned_endpoints
    from serinus.cli.project import find_project
    from serinus.cli.target import CloudTarget, select_target
    from serinus.infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT, SETTINGS, UNBOUND_ENVIRONMENTS
    from serinus.infra.settings import load_settings

    project = find_project()
    environment = env or (LOCAL_ENVIRONMENT if local else DEFAULT_ENVIRONMENT)
    settings = load_settings(project / SETTINGS, environment)
    # Without an endpoint in the settings there may still be stacks of those that they had.
    names = select_endpoints(settings, endpoints or []) if endpoints or settings.endpoints else []
    overviews = [overview for overview in planned_endpoints(project, environment) if overview.name in names]
    shared, orphans, notes = None, [], list[str]()
    target_name, problem, clock_note = "the offline cloud" if local else "AWS", "", ""
    try:
        target = select_target(project, env, local=local, port=port)
        target = target if target.cloud else CloudTarget(None, settings.region)
        target_name = target.name
        clock_note = f" in {target.clock_note}" if target.clock_note else ""
        overviews = [observe(overview, target) for overview in overviews]
        shared = _observe_shared(target, settings, notes)
        orphans = [] if endpoints else _find_orphans(target, settings, notes)
    except WrongUsage:
        raise
    except CliError as error:
        problem = str(error)
    if not (overviews or orphans):
        select_endpoints(settings, [])  # raises: there is nothing to show
    for note in notes:
        notice(note)
    if as_json:
        shown = [overview.to_json() for overview in overviews]
        print_json(
            {
                "environment": environment,
                "place": target_name,
                "trouble": problem,
                "endpoints": shown,
                "shared": shared.to_json() if shared else None,
                "orphaned": [orphan.to_json() for orphan in orphans],
            }
        )
    else:
        flags = cli_flags(environment, local=local)
        for overview in overviews:
            results.print("\n".join(lines_of(overview, flags=flags, reachable=not problem)), markup=False)
        for orphan in orphans:
            results.print(describe_orphan(orphan, environment, flags), style="yellow", markup=False)
        if shared is not None:
            results.print("\n".join(shared_lines(shared)), markup=False)
        if not problem and not settings.operations.has_topic and environment not in UNBOUND_ENVIRONMENTS:
            notice(f"nobody is notified of alarms: [env.{environment}.operations] sets no emails and no chat")
        notice(problem or f"{environment} on {target_name}; times are UTC{clock_note}")
    if problem:
        raise typer.Exit(1)


def _observe_shared(target: "CloudTarget", settings: "Settings", notes: list[str]) -> "SharedOverview | None":
    """What the endpoints share; who may read endpoints need not be allowed to read it, which is added to
    ``notes``."""
    from serinus.cli.shared_stack import observe_shared

    try:
        return observe_shared(target, settings)
    except CliError as error:
        notes.append(str(error))
        return None


def _find_orphans(target: "CloudTarget", settings: "Settings", notes: list[str]) -> "list[TaggedStack]":
    """Stacks that the settings no longer name; who may read endpoints need not be allowed to list all stacks,
    which is added to ``notes``."""
    from serinus.cli.orphaned_stacks import find_orphans

    try:
        return find_orphans(target, settings)
    except CliError as error:
        notes.append(str(error))
        return []


def lines_of(overview: "EndpointOverview", *, flags: str, reachable: bool) -> list[str]:
    """An endpoint in words; ``flags`` make other commands act on the same environment and cloud."""
    pinned = f"{overview.pinned_version[:12]} is pinned" if overview.pinned_version else "no model is pinned"
    if overview.deployed is None:
        if not reachable:
            return [f"{overview.name}  deployment unknown; {pinned}"]
        if overview.trouble:
            return [f"{overview.name}  {overview.trouble}; {pinned}"]
        if overview.pinned_version is None:
            return [f"{overview.name}  not deployed; {pinned}, so deploys leave it out"]
        return [f"{overview.name}  not deployed; {pinned}. `serinus deploy {overview.name}{flags}`"]
    deployed = overview.deployed
    behind = (
        f"; serinus.lock pins {(overview.pinned_version or '')[:12]}, deploy to serve it"
        if overview.behind
        else ""
    )
    lines = {
        "url": deployed.url,
        "model": f"{deployed.model_version[:12]}{behind}",
        "traffic": traffic(deployed),
        "release": release(deployed),
        "alarms": alarms(deployed),
        "callers": callers(overview.name, deployed, flags),
        "stack": f"{overview.stack} {deployed.status}, deployed {deployed.changed_at:%Y-%m-%d %H:%M:%S}",
    }
    if overview.candidate is not None:
        rehearse = f"`serinus rehearse {overview.name}` compares it"
        lines["next"] = (
            f"{overview.candidate[:12]} is packaged, newer than the pinned bundle and not pinned; {rehearse}"
        )
    return [overview.name, *(f"  {title:<8} {words}" for title, words in lines.items())]


def shared_lines(shared: "SharedOverview") -> list[str]:
    """What the endpoints share, in words."""
    notified = ", ".join(map(str, shared.subscribers)) or "nobody"
    lines = {"notifies": notified} if shared.topic else {}
    lines |= {"shows": f"dashboard {shared.dashboard}"} if shared.dashboard else {}
    lines |= {"monitor": f"keeps counts and reports in {shared.bucket}"} if shared.bucket else {}
    lines["stack"] = f"{shared.stack} {shared.status}"
    return ["all endpoints", *(f"  {title:<8} {words}" for title, words in lines.items())]


def traffic(deployed: "DeployedEndpoint") -> str:
    """Which versions get which share of requests."""
    return ", ".join(
        f"version {served.version}{f' ({served.description})' if served.description else ''} {served.share:.0%}"
        for served in deployed.versions
    )


def callers(name: str, deployed: "DeployedEndpoint", flags: str) -> str:
    """How callers authenticate, and to which kind of API."""
    from serinus.cli.request_auth import describe_auth

    key = f": {deployed.key_id} (`serinus key {name}{flags}` shows it)" if deployed.key_id else ""
    return f"{describe_auth(deployed.auth)}{key}; {deployed.front.upper()} API"


def release(deployed: "DeployedEndpoint") -> str:
    """The last release and its result so far."""
    from serinus.cli.release_reader import describe_release

    return describe_release(deployed.release) if deployed.release else "none by CodeDeploy yet"


def alarms(deployed: "DeployedEndpoint") -> str:
    """How many alarms are in each state, and which are firing."""
    if not deployed.alarms:
        return "none"
    counted = ", ".join(f"{count} {state}" for state, count in sorted(deployed.alarm_states.items()))
    firing = [f"{alarm.description or alarm.name}" for alarm in deployed.alarms if alarm.state == "ALARM"]
    return f"{counted}: {'; '.join(firing)}" if firing else counted
