"""`serinus destroy`: delete endpoints with the stock CDK CLI."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli import cdk
from serinus.cli.console import results, step
from serinus.cli.errors import CliError
from serinus.cli.target import CloudPort, EndpointNames, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.target import CloudTarget

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
    """Delete the stacks of endpoints, and the API keys that `serinus key --rotate` created for them; with the last
    endpoint of an environment also the stack of its monitor, topic and dashboard. The monitor's bucket is kept.

    The stacks of a named environment, such as prod, are protected: the command prints how to lift the protection,
    and deletes nothing before that.

    Example: [bold]serinus destroy churn --local[/]
    """
    from serinus.cli.api_keys import drop_rotated
    from serinus.cli.context import resolve_context
    from serinus.cli.endpoints import stack_names
    from serinus.cli.shared_stack import delete_unused
    from serinus.infra.names import SETTINGS
    from serinus.infra.settings import load_settings

    context = resolve_context(env, local=local, port=port)
    project, environment, target = context.project, context.environment, context.target
    stacks = stack_names(project, environment, endpoints or [])
    lift_protection(target, list(stacks.values()), environment)
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
    delete_unused(target, load_settings(project / SETTINGS, environment), ())


def lift_protection(target: "CloudTarget", stacks: list[str], environment: str) -> None:
    """Lift the protection of ``stacks`` in an offline cloud; on AWS raise `CliError` with the commands for it."""
    from serinus.cli.endpoints import describe_stack

    described = [describe_stack(target, stack) for stack in stacks]
    protected = [stack.stack for stack in described if stack is not None and stack.protected]
    if target.cloud is not None:
        for stack in protected:
            target.client("cloudformation").update_termination_protection(
                StackName=stack, EnableTerminationProtection=False
            )
    elif protected:
        region = f" --region {target.region_name}" if target.region_name else ""
        commands = "\n".join(
            f"  aws cloudformation update-termination-protection --no-enable-termination-protection "
            f"--stack-name {stack}{region}"
            for stack in protected
        )
        raise CliError(
            f"{', '.join(protected)} {'is' if len(protected) == 1 else 'are'} protected from deletion, as all of "
            f"environment {environment} are. Nothing was deleted. To delete, lift the protection and repeat this "
            f"command:\n{commands}"
        )


def assembly_with(project: Path, stacks: list[str]) -> list[str]:
    """`--app cdk.out` if the last synth's assembly holds all ``stacks``: deleting needs no new synth."""
    try:
        manifest = json.loads((project / "cdk.out" / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return ["--app", "cdk.out"] if set(stacks) <= set(manifest.get("artifacts", {})) else []
