"""`serinus pin`: chooses which packaged bundle an environment deploys."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from serinus.cli.console import notice, print_json, progress, results, table
from serinus.cli.errors import WrongUsage
from serinus.cli.project import find_project
from serinus.cli.target import AsJson
from serinus.infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT

if TYPE_CHECKING:
    from pathlib import Path

    from serinus.cli.bundle_comparison import BundleComparison
    from serinus.cli.pin_change import PinChange
    from serinus.infra.settings import Settings


def pin(
    model: Annotated[str, typer.Argument(help="Name of the packaged model: a folder of bundles/.")],
    version: Annotated[
        str | None,
        typer.Argument(
            help="Start of a version in bundles/. Default: the newest one that no environment pins, if it is "
            "newer than the pinned one."
        ),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Environment whose pin to change.", show_default=DEFAULT_ENVIRONMENT),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="NAME", help="Pin what this environment pins, in the one of --to."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="NAME", help="With --from: environment whose pin to change.")
    ] = None,
    remove: Annotated[
        bool,
        typer.Option(
            "--remove",
            help="Remove the environment's pin of MODEL. Bundles and what is deployed stay as they are.",
        ),
    ] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes",
            "-y",
            help="Skip the confirmation, which --from, a change that breaks callers, and removing the pin of an "
            "endpoint require.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Pin a packaged bundle in serinus.lock, and show what changes. Nothing is deployed.

    `serinus package --candidate` makes a bundle that is not pinned, and `serinus rehearse` compares it with the
    pinned one. With --from and --to, one environment gets the bundle of another, after a confirmation, which a
    bundle that breaks callers requires too. With --remove, the environment pins no bundle of MODEL any more. If no
    endpoint in serinus.toml serves the model, a table endpoint.MODEL is added. Commit both files; the next deploy
    releases the bundle.

    Example: [bold]serinus pin churn --from dev --to prod[/]
    """
    from serinus.cli.bundle_comparison import compare_bundles
    from serinus.cli.confirmation import require_confirmation
    from serinus.cli.pin_change import (
        describe_settings_step,
        list_unpinned,
        plan_move,
        plan_pin,
        require_model,
        write_change,
    )
    from serinus.cli.settings_file import add_endpoint, read_settings
    from serinus.infra.names import SETTINGS
    from serinus.infra.settings import load_settings
    from serinus.lambda_handlers.contract.bundle import SHORT
    from serinus.lambda_handlers.contract.lock import LOCK

    _require_one_way(version, env, source, to, remove)
    project = find_project()
    environment = to or env or DEFAULT_ENVIRONMENT
    settings = load_settings(project / SETTINGS, environment)
    if source is not None:
        load_settings(project / SETTINGS, source)
    if remove:
        _remove(project, settings, model, yes, as_json)
        return
    require_model(project, settings, model)
    if source is None:
        change = plan_pin(project, environment, model, version)
    else:
        change = plan_move(project, source, environment, model)
    short = change.after.version[:SHORT]
    if not change.is_needed:
        if as_json:
            print_json(_as_data(change, None))
        listed = list_unpinned(project, environment, model) if source is None and version is None else ""
        notice(f"nothing to do: {LOCK} pins {model} {short} for {environment} already{listed}")
        return
    read_settings(project / SETTINGS)
    comparison = compare_bundles(change.folder_before(project), change.folder)
    _print_change(progress if as_json else results, change, comparison)
    if (source is not None or comparison.breaking) and not yes:
        require_confirmation(f"Pin {model} {short} for {environment}?")
    write_change(project, change)
    if add_endpoint(project / SETTINGS, model):
        notice(f"added to {SETTINGS}: [endpoint.{model}]")
        settings = load_settings(project / SETTINGS, environment)
    if as_json:
        print_json(_as_data(change, comparison))
        return
    notice(f"{LOCK} now pins {model} {short} for {environment}. Next: {_next_step(environment, model)}")
    if unserved := describe_settings_step(settings, model):
        notice(unserved)


def _remove(project: "Path", settings: "Settings", model: str, yes: bool, as_json: bool) -> None:
    from serinus.cli.confirmation import require_confirmation
    from serinus.cli.pin_change import endpoints_of, pin_to_remove, remove_pin
    from serinus.lambda_handlers.contract.bundle import SHORT
    from serinus.lambda_handlers.contract.lock import LOCK

    environment = settings.environment
    before = pin_to_remove(project, environment, model)
    short = before.version[:SHORT]
    endpoints = ", ".join(endpoints_of(settings, model))
    if endpoints and not yes:
        require_confirmation(
            f"{endpoints} serves {model} in {environment}, and deploys leave out an endpoint without a pin. "
            f"Remove the pin of {model} {short}?"
        )
    remove_pin(project, environment, model, before)
    if as_json:
        print_json(
            {
                "model": model,
                "environment": environment,
                "version": None,
                "previous_version": before.version,
                "changed": True,
            }
        )
        return
    deployed = f"; what is deployed stays: serinus destroy {endpoints} deletes it" if endpoints else ""
    notice(f"{LOCK} no longer pins {model} for {environment} (it was {short}){deployed}")


def _require_one_way(
    version: str | None, env: str | None, source: str | None, to: str | None, remove: bool
) -> None:
    """`WrongUsage` unless the options select one change of one environment."""
    if remove and (version or source or to):
        raise WrongUsage("--remove requires a model alone, and --env: serinus pin MODEL --remove --env prod")
    if (source is None) != (to is None):
        lacks, has = ("--from", "--to") if source is None else ("--to", "--from")
        raise WrongUsage(f"{has} needs {lacks}: serinus pin MODEL --from dev --to prod")
    if source is not None and source == to:
        raise WrongUsage(f"--from and --to are both {source}. Name two environments.")
    if source is not None and version is not None:
        raise WrongUsage(f"--from selects the bundle that {source} pins, and VERSION is {version}. Leave one out.")
    if source is not None and env is not None:
        raise WrongUsage(f"--to {to} and --env {env} both name the environment. Leave --env out.")


def _print_change(console: Console, change: "PinChange", comparison: "BundleComparison") -> None:
    now = f"{change.environment} now" if change.before else f"{change.environment} (no pin)"
    shown = table("", now, "afterwards")
    for figure in comparison.figures:
        shown.add_row(figure.name, figure.before or "", figure.after or "")
    console.print(shown)
    if change.before is None:
        return
    if not any(figure.before for figure in comparison.figures):
        console.print(f"{change.before.bundle}, which is pinned now, is not on this machine as it was packaged")
        return
    for sentence in comparison.signature or ("unchanged",):
        console.print(f"signature: {sentence}")
    for sentence in comparison.breaking:
        console.print(f"breaks callers: {sentence}", style="yellow")
    if comparison.breaking:
        console.print("the pre-traffic check stops such a release unless rollout.allow_breaking is set")


def _next_step(environment: str, model: str) -> str:
    if environment in (DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT):
        return "commit the lock; serinus deploy --local serves the bundle offline"
    return f"commit the lock; serinus deploy --env {environment} releases {model}"


def _as_data(change: "PinChange", comparison: "BundleComparison | None") -> dict[str, object]:
    return {
        "model": change.model,
        "environment": change.environment,
        "version": change.after.version,
        "previous_version": change.before.version if change.before else None,
        "changed": change.is_needed,
        "comparison": None if comparison is None else comparison.to_json(),
    }
