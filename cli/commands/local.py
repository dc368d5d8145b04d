"""`serinus local`: the offline cloud, up, down, and how other tools reach it."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli import offline_process
from serinus.cli.console import notice, print_json, results, step
from serinus.cli.project import SETTINGS, find_project
from serinus.infra.names import LOCAL_ENVIRONMENT
from serinus.offline.client.shell import NO_PROXY, NPM_NO_PROXY, is_about_aws

app = typer.Typer(help="Run a cloud on this machine: AWS as far as these stacks need it.", no_args_is_help=True)

#: Opens the page with its key, which is in this file and on no command line. The address is percent-encoded.
REDIRECT = """<!doctype html><meta charset="utf-8"><title>Offline cloud</title>
<script>location.replace({url})</script>
"""

Port = Annotated[int, typer.Option(help="Port of the cloud.")]
AnyPort = Annotated[int | None, typer.Option("--port", help="Port, where several clouds run.")]


@app.command()
def up(
    port: Port = offline_process.DEFAULT_PORT,
    env: Annotated[str | None, typer.Option(help="Play the account and region of this environment.")] = None,
    speed: Annotated[float, typer.Option(help="Cloud seconds per real second, for schedules and bakes.")] = 60.0,
    state: Annotated[Path | None, typer.Option(help="Keep its state in this folder across restarts.")] = None,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay in this terminal until Ctrl-C.")] = False,
) -> None:
    """Start the offline cloud of this project.

    Example: [bold]serinus local up --speed 60[/]
    """
    project = find_project()
    place = played_by(project, env)
    if foreground:
        offline_process.require_extra()
        claim, key = offline_process.begin(project, port)
        notice(f"the offline cloud listens at http://127.0.0.1:{port}; Ctrl-C stops it")
        notice(f"what runs in it: {offline_process.page_of(port)}")
        os.set_inheritable(claim, True)
        command = offline_process.command(project, port=port, place=place, speed=speed, state=state)
        # The cloud takes this process' place, and with it the record of its pid.
        offline_process.record(
            project, offline_process.RunningCloud(os.getpid(), port, place.region, place.account_id, speed, key)
        )
        os.execv(command[0], command)
    with step("starting the offline cloud"):
        cloud = offline_process.start(project, port=port, place=place, speed=speed, state=state)
    results.print(f"offline cloud ready at {cloud.url} (pid {cloud.pid}, {cloud.speed:g}x time)")
    results.print(f"what runs in it: {cloud.page} (`serinus local open` opens it with its key)")
    notice("`serinus deploy --local` deploys into it; `serinus local down` stops it.")


@app.command()
def down(port: AnyPort = None) -> None:
    """Stop the offline cloud of this project, and every function worker with it.

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
    """Open the page of the offline cloud in a browser: what is deployed, requests, logs, alarms, a request form.

    Example: [bold]serinus local open[/]
    """
    import webbrowser

    project = find_project()
    cloud = offline_process.require(project, port)
    results.print(cloud.page)
    # Other users of the machine see the command lines of what runs, so the browser is not started with the key.
    opening = offline_process.opening_path(project, cloud.port)
    opening.unlink(missing_ok=True)
    opening.touch(mode=0o600)
    opening.write_text(REDIRECT.format(url=json.dumps(cloud.page_with_key)))
    if not webbrowser.open(opening.resolve().as_uri()):
        notice(
            "no browser could be started from here; open the address above in one on this machine and paste "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY from `serinus local env`"
        )


@app.command()
def env(port: AnyPort = None) -> None:
    """Print environment variables that point a shell at the offline cloud, for cdk, boto3, the AWS CLI and curl.

    Other AWS settings of the shell, such as a profile, are unset; its proxies are kept for other machines. A cloud
    makes a new access key at each start: evaluate the output again after `serinus local up`.

    Example: [bold]eval "$(serinus local env)" && npx cdk diff[/]
    """
    cloud = offline_process.require(find_project(), port)
    pointed = cloud.shell(os.environ)
    for name in os.environ.keys() - pointed.keys():
        if name.isidentifier() and name.isascii():  # others no shell can unset
            sys.stdout.write(f"unset {name}\n")
    for name in pointed:
        if name in cloud.environment() or is_about_aws(name) or name in (*NO_PROXY, *NPM_NO_PROXY):
            sys.stdout.write(f"export {name}={shlex.quote(pointed[name])}\n")


@app.command()
def token(
    endpoint: Annotated[str, typer.Argument(help="Endpoint with auth jwt.")],
    env: Annotated[str, typer.Option(help="Environment that is deployed there.")] = LOCAL_ENVIRONMENT,
    port: AnyPort = None,
) -> None:
    """Print a token that the offline cloud takes for one of the endpoint's issuer, until the cloud stops.

    It is signed by a key made for it, of which only that cloud is told: to AWS it is a forgery.

    Example: [bold]export SERINUS_TOKEN="$(serinus local token churn)"[/]
    """
    from serinus.cli.dev_tokens import own_token
    from serinus.cli.endpoints import choose_endpoints
    from serinus.infra.settings import load_settings

    project = find_project()
    cloud = offline_process.require(project, port)
    settings = load_settings(project / SETTINGS, env)
    (name,) = choose_endpoints(settings, [endpoint])
    chosen = next(one for one in settings.endpoints if one.name == name)
    sys.stdout.write(f"{own_token(cloud, chosen)}\n")


@app.command()
def status(
    port: AnyPort = None, as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False
) -> None:
    """Say whether the offline cloud of this project runs, and where. Exit 1 when it does not.

    Example: [bold]serinus local status --json[/]
    """
    cloud = offline_process.find(find_project(), port)
    if as_json:
        print_json({"running": cloud is not None, **({"url": cloud.url, "pid": cloud.pid} if cloud else {})})
    else:
        results.print(f"running at {cloud.url} (pid {cloud.pid})" if cloud else "not running")
    if cloud is None:
        raise typer.Exit(1)


def played_by(project: Path, environment: str | None) -> offline_process.Place:
    """Account and region that serinus.toml gives ``environment``; the defaults where it gives none."""
    if environment is None:
        return offline_process.Place()
    from serinus.infra.settings import load_settings

    settings = load_settings(project / SETTINGS, environment)
    default = offline_process.Place()
    return offline_process.Place(settings.account or default.account_id, settings.region or default.region)
