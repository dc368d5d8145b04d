"""`serinus destroy`: delete endpoints with the stock CDK CLI."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serinus.cli import cdk
from serinus.cli.confirmation import require_confirmation
from serinus.cli.console import results, step
from serinus.cli.errors import CliError
from serinus.cli.target import CloudPort, Environment, Local

if TYPE_CHECKING:
    from serinus.cli.target import CloudTarget

#: Not that of `serinus deploy`, which may be running.
LOG = Path(".serinus/local/cdk-destroy.log")


def destroy(
    endpoints: Annotated[
        list[str] | None,
        typer.Argument(help="Names of endpoints. Default: all that serinus.toml has in the environment."),
    ] = None,
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

    An endpoint that serinus.toml no longer names, which `serinus status` shows, is deleted by its old name.

    The stacks of a named environment, such as prod, are protected: the command prints how to lift the protection,
    and deletes nothing before that.

    Example: [bold]serinus destroy churn --local[/]
    """
    from serinus.cli.api_keys import drop_rotated
    from serinus.cli.context import resolve_context
    from serinus.cli.destroyed_stacks import choose_stacks
    from serinus.cli.orphaned_stacks import delete_stacks
    from serinus.cli.shared_stack import delete_unused
    from serinus.infra.names import SETTINGS
    from serinus.infra.settings import load_settings

    context = resolve_context(env, local=local, port=port)
    project, environment, target = context.project, context.environment, context.target
    settings = load_settings(project / SETTINGS, environment)
    chosen = choose_stacks(project, settings, target, endpoints or [])
    lift_protection(target, list(chosen.by_endpoint.values()), environment)
    if chosen.without_app and not (local or yes):
        require_confirmation(f"Delete {', '.join(chosen.without_app.values())}?")
    if chosen.in_app:
        _run_cdk(project, target, environment, chosen.in_app, force=local or yes, verbose=verbose or not local)
    delete_stacks(target, list(chosen.without_app.values()))
    for stack in chosen.by_endpoint.values():
        drop_rotated(target.client("apigateway"), stack)
    results.print(f"destroyed {', '.join(chosen.by_endpoint)}")
    delete_unused(target, settings, ())


def _run_cdk(
    project: Path,
    target: "CloudTarget",
    environment: str,
    stacks: Mapping[str, str],
    *,
    force: bool,
    verbose: bool,
) -> None:
    """`cdk destroy` of ``stacks``, by endpoint. Without ``verbose`` its output is printed only if it fails."""
    app = assembly_with(project, list(stacks.values()))
    command = ["destroy", *stacks.values(), "-c", f"env={environment}", *app, *(["--force"] if force else [])]
    if verbose:
        cdk.run(project, command, target.environment())
        return
    log = project / LOG
    log.unlink(missing_ok=True)
    with step(f"destroying {', '.join(stacks)}"):
        cdk.run(project, command, target.environment(), log=log)


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
