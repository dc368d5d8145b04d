"""`serinus destroy`: delete endpoints with the stock CDK CLI."""

import json
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli import cdk
from serinus.cli.console import results, step
from serinus.cli.target import CloudPort, EndpointNames, Environment, Local

#: Not that of `serinus deploy`, which may be running.
LOG = Path(".serinus/local/cdk-destroy.log")


def destroy(
    endpoints: EndpointNames = None,
    env: Environment = None,
    local: Local = False,
    port: CloudPort = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Skip the confirmation, which --local never requires.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="With --local: print the CDK CLI's output always, not only when it fails."
        ),
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
    command = ["destroy", *stacks.values(), "-c", f"env={environment}", *app, *force]
    if local and not verbose:
        log = project / LOG
        log.unlink(missing_ok=True)
        with step(f"destroying {', '.join(stacks)}"):
            cdk.run(project, command, target.environment(), log=log)
    else:
        cdk.run(project, command, target.environment())
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
