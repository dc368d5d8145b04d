"""`serinus bundles`: keeps bundles in S3 instead of git, and the project's folder of them small."""

from pathlib import Path
from typing import Annotated, Any

import typer

from serinus.cli.console import megabytes, notice, results
from serinus.cli.errors import CliError
from serinus.cli.project import find_project
from serinus.infra.names import SETTINGS

app = typer.Typer(
    help="Keep bundles in S3 instead of git; serinus.lock names their versions.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Models = Annotated[list[str] | None, typer.Argument(help="Names of models. Default: all that are pinned.")]
OfEnvironment = Annotated[
    str | None, typer.Option("--env", metavar="NAME", help="Only what this environment pins. Default: all.")
]


@app.command()
def push(models: Models = None, env: OfEnvironment = None) -> None:
    """Store the pinned bundles in S3 and write their places into serinus.lock.

    They are stored under `bundle_store` of \\[project] in serinus.toml, such as "s3://my-bucket/serinus". A bundle
    that is there already is not stored again. `bundles/` can be left out of git then.

    Example: [bold]serinus bundles push churn[/]
    """
    from serinus.cli.bundle_store import push as push_bundle
    from serinus.cli.bundle_store import store_url
    from serinus.infra.release import pinned_bundle
    from serinus.infra.settings import bundle_store
    from serinus.lambda_handlers.contract.bundle import read_manifest
    from serinus.lambda_handlers.contract.lock import Pin
    from serinus.modelpack.locking import changing_pins

    project = find_project()
    store = bundle_store(project / SETTINGS)
    if not store:
        raise CliError(
            f"{SETTINGS} names no place for bundles. Add this to its [project] table: "
            'bundle_store = "s3://BUCKET/PREFIX".'
        )
    s3 = _s3()
    for environment, model, _ in _pins(project, models, env):
        folder = pinned_bundle(project, environment, model)
        manifest = read_manifest(folder)
        url = store_url(store, manifest)
        stored = push_bundle(s3, folder, url)
        with changing_pins(project) as lock:
            pin = lock.get(environment, {}).get(model)
            if pin is not None and pin.version == manifest.version:
                lock[environment][model] = Pin(manifest.version, url)
        results.print(
            f"{environment} {model} {manifest.short_version}: {'stored' if stored else 'is stored'} at {url}"
        )


@app.command()
def fetch(models: Models = None, env: OfEnvironment = None) -> None:
    """Copy pinned bundles from S3 to the project's folder, verified by the hash in serinus.lock.

    `serinus build`, `cdk synth` and `cdk deploy` read them there, without network.

    Example: [bold]serinus bundles fetch --env prod[/]
    """
    from serinus.cli.bundle_store import fetch as fetch_bundle

    project = find_project()
    stored = [(model, pin) for _, model, pin in _pins(project, models, env) if pin.is_stored]
    if not stored:
        results.print("serinus.lock names no bundle in S3: all are in this project's folder")
        return
    s3 = _s3()
    for pin, model in {pin: model for model, pin in stored}.items():
        fetched = fetch_bundle(s3, pin, project)
        results.print(f"{model} {pin.version[:12]}: {'fetched' if fetched else 'is here already'}")


@app.command()
def prune(
    keep: Annotated[
        int, typer.Option(min=0, max=1000, help="Unpinned bundles of each model that stay, the newest.")
    ] = 3,
    yes: Annotated[bool, typer.Option("--yes", help="Delete without confirmation.")] = False,
) -> None:
    """Delete bundles that no environment pins from the project's folder. Nothing in S3 is deleted.

    A rollback needs the bundle that served before, so the newest unpinned ones stay.

    Example: [bold]serinus bundles prune --keep 1[/]
    """
    from serinus.cli.bundle_store import delete, unpinned
    from serinus.lambda_handlers.contract.lock import LOCK, read_lock

    project = find_project()
    folders = unpinned(project, read_lock(project / LOCK), keep)
    if not folders:
        results.print("nothing to delete")
        return
    for folder in folders:
        notice(str(folder.relative_to(project)))
    if not yes:
        typer.confirm(f"Delete {len(folders)} bundles?", abort=True, err=True)
    results.print(f"deleted {len(folders)} bundles, {megabytes(delete(folders))}")


def _pins(project: Path, models: list[str] | None, environment: str | None) -> list[tuple[str, str, Any]]:
    """Environment, model and pin of each pin that was asked for; raises `CliError` where there is none."""
    from serinus.lambda_handlers.contract.lock import LOCK, read_lock

    lock = read_lock(project / LOCK)
    chosen = [
        (name, model, pin)
        for name, pins in sorted(lock.items())
        for model, pin in sorted(pins.items())
        if environment in (None, name) and (not models or model in models)
    ]
    absent = sorted(set(models or ()) - {model for _, model, _ in chosen})
    if absent or not chosen:
        pinned = ", ".join(f"{model} ({name})" for name, pins in sorted(lock.items()) for model in sorted(pins))
        of = f" for {environment}" if environment else ""
        raise CliError(
            f"{LOCK} pins no bundle of {', '.join(absent) or 'any model'}{of}. It pins: {pinned or 'none'}."
        )
    return chosen


def _s3() -> Any:
    import boto3

    return boto3.client("s3")
