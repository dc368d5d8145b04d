"""`serinus destroy`: delete endpoints with the stock CDK CLI."""

import json
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli import cdk
from serinus.cli.console import results
from serinus.cli.target import CloudPort, EndpointNames, Environment, Local


def destroy(
    endpoints: EndpointNames = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Skip the confirmation, which --local never requires.")
    ] = False,
) -> None:
    """Delete the stacks of endpoints, and the API keys that `serinus key --rotate` created for them.

    Example: [bold]serinus destroy churn --local[/]
    """
    from serinus.cli.api_keys import drop_rotated
    from serinus.cli.context import resolve_context
    from serinus.cli.endpoints import stack_names

    context = resolve_context(env, local=local, port=port)
    project, environment, target = context.project, context.environment, context.target
    stacks = stack_names(project, environment, endpoints or [])
    force = ["--force"] if local or yes else []
    app = assembly_with(project, list(stacks.values()))
    cdk.run(project, ["destroy", *stacks.values(), "-c", f"env={environment}", *app, *force], target.environment())
    for stack in stacks.values():
        drop_rotated(target.client("apigateway"), stack)
    results.print(f"destroyed {', '.join(stacks)}")


def assembly_with(project: Path, stacks: list[str]) -> list[str]:
    """`--app cdk.out` if the last synth's assembly holds all ``stacks``: deleting needs no new synth."""
    try:
        manifest = json.loads((project / "cdk.out" / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return ["--app", "cdk.out"] if set(stacks) <= set(manifest.get("artifacts", {})) else []
