"""`serinus destroy`: take endpoints down with the stock CDK CLI."""

import json
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli import cdk
from serinus.cli.console import results
from serinus.cli.target import CloudPort, Environment, Local


def destroy(
    endpoints: Annotated[
        list[str] | None, typer.Argument(help="Endpoints; all of the environment by default.")
    ] = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask (offline it never asks).")] = False,
) -> None:
    """Delete the stacks of an environment's endpoints.

    Example: [bold]serinus destroy churn --local[/]
    """
    from serinus.cli.api_keys import drop_rotated
    from serinus.cli.context import stand
    from serinus.cli.endpoints import stack_names

    place = stand(env, local=local, port=port)
    project, environment, target = place.project, place.environment, place.target
    stacks = stack_names(project, environment, endpoints or [])
    force = ["--force"] if local or yes else []
    app = assembly_with(project, list(stacks.values()))
    cdk.run(project, ["destroy", *stacks.values(), "-c", f"env={environment}", *app, *force], target.environment())
    for stack in stacks.values():
        drop_rotated(target.client("apigateway"), stack)
    results.print(f"destroyed {', '.join(stacks)}")


def assembly_with(project: Path, stacks: list[str]) -> list[str]:
    """`--app cdk.out` where the last synth's assembly names all ``stacks``: deleting needs no new synth."""
    try:
        manifest = json.loads((project / "cdk.out" / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return ["--app", "cdk.out"] if set(stacks) <= set(manifest.get("artifacts", {})) else []
