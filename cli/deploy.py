"""`serinus deploy`: the stock CDK CLI with what it needs around it: bootstrap, build step, outputs."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cli import cdk, clouds
from cli.console import notice, print_json, results, step
from cli.project import find_project
from cli.target import CloudPort, Environment, Local, Target, choose, environment_for

LOG = Path(".serinus/local/cdk.log")


def deploy(
    endpoints: Annotated[
        list[str] | None, typer.Argument(help="Endpoints; all of the environment by default.")
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show what the CDK CLI prints.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Deploy endpoints with the pinned CDK CLI: to the offline cloud with --local, to AWS without.

    Example: [bold]serinus deploy churn --local[/]
    """
    from cli.caller import wants
    from cli.endpoints import curl_line, example_rows, find_endpoint, stack_names

    project = find_project()
    target = choose(project, local=local, port=port)
    environment = environment_for(target, env)
    stacks = stack_names(project, environment, endpoints or [])
    log = project / LOG if local and not verbose else None
    if log is not None:
        log.unlink(missing_ok=True)
    began = time.monotonic()
    if local:
        bootstrap(project, target, log)
    approval = ["--require-approval", "never"] if local else []
    command = ["deploy", *stacks.values(), "-c", f"env={environment}", "--progress", "events", *approval]
    if log is None:
        cdk.run(project, command, target.environment())
    else:
        with step(f"deploying {', '.join(stacks)}"):
            cdk.run(project, command, target.environment(), log=log)
    found = [find_endpoint(project, environment, name, target) for name in stacks]
    if as_json:
        print_json([endpoint.to_json() for endpoint in found])
        return
    notice(f"deployed to {target.name} in {time.monotonic() - began:.1f} s")
    for endpoint in found:
        results.print(f"{endpoint.name}  model {endpoint.model_version[:12]}  {endpoint.url}")
        notice(f"{endpoint.name} asks for {wants(endpoint.auth)}")
        notice(curl_line(endpoint, example_rows(project, environment, endpoint.name), target))


def bootstrap(project: Path, target: Target, log: Path | None) -> None:
    """Bootstrap the offline cloud once: on AWS that is the account owner's own decision."""
    if target.cloud is None:
        return
    cloudformation = target.client("cloudformation")
    try:
        cloudformation.describe_stacks(StackName="CDKToolkit")
    except cloudformation.exceptions.ClientError:
        with step("bootstrapping the offline cloud"):
            where = f"aws://{target.cloud.account_id}/{target.cloud.region}"
            # Beside the project: its cdk.json would have the CLI build and synthesize first.
            elsewhere = project / clouds.FOLDER
            cdk.run(project, ["bootstrap", where], target.environment(), log=log, folder=elsewhere)
