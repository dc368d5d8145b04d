"""`serinus local`: starts and stops the offline cloud, and connects other tools to it."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli import offline_process
from serinus.cli.console import notice, print_json, results, step
from serinus.cli.finite import finite
from serinus.cli.project import find_project
from serinus.cli.readings import ReadingPairs, ReadingsFile, merge_readings
from serinus.cli.target import LARGEST_PORT, AsJson
from serinus.infra.names import LOCAL_ENVIRONMENT, SETTINGS
from serinus.offline.client.shell import NO_PROXY, NPM_NO_PROXY, is_about_aws
from serinus.offline.core.config import DEFAULT_PORT

app = typer.Typer(
    help="Run an offline cloud on this machine: the AWS services that these stacks use.", no_args_is_help=True
)

#: Opens the page with its key, which stands in this file and on no command line. The URL is percent-encoded.
REDIRECT = """<!doctype html><meta charset="utf-8"><title>Offline cloud</title>
<script>location.replace({url})</script>
"""

#: A day a second.
FASTEST = 86_400

Port = Annotated[int, typer.Option(min=1, max=LARGEST_PORT, help="Port to listen on.")]
AnyPort = Annotated[
    int | None,
    typer.Option(
        "--port", min=1, max=LARGEST_PORT, help="Port of the offline cloud, if the project runs several."
    ),
]


@app.command()
def up(
    port: Port = DEFAULT_PORT,
    env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Simulate the account and region of this environment in serinus.toml."),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(
            min=0,
            max=FASTEST,
            callback=finite,
            help="Cloud seconds per real second, such as 60: schedules, bakes, alarms and timestamps use cloud "
            "time.",
        ),
    ] = 1.0,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Folder that keeps the state across restarts. Default: the state is lost."
        ),
    ] = None,
    reading: ReadingPairs = None,
    readings: ReadingsFile = None,
    foreground: Annotated[bool, typer.Option("--foreground", help="Run in this terminal until Ctrl-C.")] = False,
) -> None:
    """Start the offline cloud of this project.

    Example: [bold]serinus local up --speed 60[/]
    """
    project = find_project()
    identity = offline_process.cloud_identity(project, env)
    simulation = offline_process.SimulationOptions(readings=merge_readings(reading, readings))
    if foreground:
        offline_process.require_extra()
        claim, key = offline_process.claim_port(project, port)
        notice(f"the offline cloud listens at http://127.0.0.1:{port}; Ctrl-C stops it")
        notice(f"console: {offline_process.page_of(port)}")
        os.set_inheritable(claim, True)
        command = offline_process.command(project, port=port, identity=identity, speed=speed, state=state)
        command += simulation.arguments()
        # The cloud replaces this process and keeps its pid, which the record names.
        offline_process.record(
            project,
            offline_process.RunningCloud(os.getpid(), port, identity.region, identity.account_id, speed, key),
        )
        os.execve(command[0], command, os.environ | offline_process.temporary_files(project, port))
    with step("starting the offline cloud"):
        cloud = offline_process.start(
            project, port=port, identity=identity, speed=speed, state=state, simulation=simulation
        )
    results.print(f"offline cloud ready at {cloud.url} (pid {cloud.pid})")
    if cloud.speed != 1:
        results.print(f"cloud time runs {cloud.speed:g} times as fast as real time")
    results.print(f"console: {cloud.page} (`serinus local open` opens it with its key)")
    notice("`serinus deploy --local` deploys into it; `serinus local down` stops it.")


@app.command()
def down(port: AnyPort = None) -> None:
    """Stop this project's offline clouds and their function workers.

    Example: [bold]serinus local down[/]
    """
    project = find_project()
    stopped = 0
    while (cloud := offline_process.find(project, port)) is not None:
        with step(f"stopping the offline cloud at {cloud.url}"):
            offline_process.stop(project, cloud)
        stopped += 1
    results.print("stopped" if stopped else "nothing was running")


@app.command("open")
def open_page(port: AnyPort = None) -> None:
    """Open the offline cloud's console in a browser: resources, requests, logs, alarms and a request form.

    Example: [bold]serinus local open[/]
    """
    import webbrowser

    project = find_project()
    cloud = offline_process.require(project, port)
    results.print(cloud.page)
    # Other users of the machine see the command lines of what runs, so the browser is not started with the key.
    opening = offline_process.redirect_path(project, cloud.port)
    opening.unlink(missing_ok=True)
    opening.touch(mode=0o600)
    opening.write_text(REDIRECT.format(url=json.dumps(cloud.page_with_key)))
    if not webbrowser.open(opening.resolve().as_uri()):
        notice(
            "no browser could be started. Open the URL above in a browser on this machine and paste "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY from `serinus local env`."
        )


@app.command()
def env(port: AnyPort = None) -> None:
    """Print the environment variables with which cdk, boto3, the AWS CLI and curl use the offline cloud.

    Other AWS settings of the shell, such as a profile, are unset; its proxies stay in use for other machines. A
    cloud creates a new access key at each start: evaluate the output again after `serinus local up`.

    Example: [bold]eval "$(serinus local env)" && npx cdk diff[/]
    """
    cloud = offline_process.require(find_project(), port)
    shell = cloud.shell(os.environ)
    for name in os.environ.keys() - shell.keys():
        if name.isidentifier() and name.isascii():  # no shell can unset other names
            sys.stdout.write(f"unset {name}\n")
    for name in shell:
        if name in cloud.environment() or is_about_aws(name) or name in (*NO_PROXY, *NPM_NO_PROXY):
            sys.stdout.write(f"export {name}={shlex.quote(shell[name])}\n")


@app.command()
def token(
    endpoint: Annotated[str, typer.Argument(help='Name of an endpoint with auth = "jwt".')],
    env: Annotated[
        str, typer.Option(metavar="NAME", help="Environment that is deployed in the offline cloud.")
    ] = LOCAL_ENVIRONMENT,
    port: AnyPort = None,
) -> None:
    """Print a token that the offline cloud accepts as the endpoint's issuer's, until the cloud stops.

    It is signed by a new key that only this cloud trusts: AWS rejects it.

    Example: [bold]export SERINUS_TOKEN="$(serinus local token churn)"[/]
    """
    from serinus.cli.dev_tokens import dev_token
    from serinus.cli.endpoints import select_endpoints
    from serinus.infra.settings import load_settings

    project = find_project()
    cloud = offline_process.require(project, port)
    settings = load_settings(project / SETTINGS, env)
    (name,) = select_endpoints(settings, [endpoint])
    settings_of_endpoint = next(candidate for candidate in settings.endpoints if candidate.name == name)
    sys.stdout.write(f"{dev_token(cloud, settings_of_endpoint)}\n")


@app.command()
def status(port: AnyPort = None, as_json: AsJson = False) -> None:
    """Show whether this project's offline cloud is running, and its URL. Exit code 1: it is not running.

    Example: [bold]serinus local status --json[/]
    """
    cloud = offline_process.find(find_project(), port)
    if as_json:
        print_json({"running": cloud is not None, **({"url": cloud.url, "pid": cloud.pid} if cloud else {})})
    else:
        results.print(f"running at {cloud.url} (pid {cloud.pid})" if cloud else "not running")
    if cloud is None:
        raise typer.Exit(1)
