"""`serinus package`: a trained model becomes a checked bundle, pinned in serinus.lock."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tomlkit
import typer
from tomlkit.container import OutOfOrderTableProxy
from tomlkit.items import Table

from serinus.cli.console import notice, print_json
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.package_report import models_of, print_result, sort_environments
from serinus.cli.progress import StageProgress
from serinus.cli.project import SETTINGS, find_project
from serinus.cli.termination import ended_in_order

if TYPE_CHECKING:
    from serinus.modelpack.request import PackageResult


def package(
    source: Annotated[Path, typer.Argument(help="Model file, MLflow folder, or folder of models.")],
    name: Annotated[str | None, typer.Option(help="Name of the model, and of its endpoint.")] = None,
    sample: Annotated[
        Path | None, typer.Option(help="Rows like those it will see: .csv or .parquet with a header.")
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(help="Environment whose pin it is (dev); or requirements.txt: what it was trained with."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="The sample's column that is the label: left out.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="A further column of the sample to leave out.")] = None,
    trust: Annotated[list[str] | None, typer.Option(help="A type in a .skops file to trust.")] = None,
    allow_version_skew: Annotated[
        bool, typer.Option("--allow-version-skew", help="Load a model of other versions with the installed ones.")
    ] = False,
    labels: Annotated[float, typer.Option(help="Least share of rows whose label must agree.")] = 1.0,
    atol: Annotated[float, typer.Option(help="Absolute tolerance of numbers.")] = 1e-4,
    rtol: Annotated[float, typer.Option(help="Relative tolerance of numbers.")] = 1e-3,
    cosine: Annotated[
        float | None, typer.Option(help="For embeddings: least cosine of each row, instead of --atol and --rtol.")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="auto, or one of float32, float16, int8, int8-static, int4.")
    ] = "auto",
    holdout: Annotated[Path | None, typer.Option(help="Labelled rows; needs --target.")] = None,
    max_loss: Annotated[float, typer.Option(help="Most that a metric may lose on the holdout.")] = 0.01,
    factory: Annotated[
        str | None, typer.Option(help="Function that makes the module of PyTorch weights: my_model:make.")
    ] = None,
    allow_fragile: Annotated[
        bool, typer.Option("--allow-fragile", help="Let hard values be answered otherwise than by the source.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(help="Minutes after which a stage that tells nothing is ended.")
    ] = 15.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure and report; write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Convert a trained model to ONNX, check that it agrees with the source, and pin it for an environment.

    A folder that is no MLflow model is packaged model by model, each named by its file, with the table of the same
    name beside it (model.csv, model.parquet) or --sample. A model that other versions of its library saved is
    converted by those, in an environment of its own. The model's code runs in a process apart, which is ended with
    what it started in its process group where it takes too long. Exit codes: 1 setting, lock or the
    model's code ended, 3 source, 4 sample, 5 conversion, 6 out of tolerance, 7 too large for Lambda.

    Example: [bold]serinus package model.joblib --name churn --sample sample.csv[/]
    """
    from serinus.lambda_handlers.contract.tolerance import Tolerance
    from serinus.modelpack.request import PackageRequest, PackageResult
    from serinus.modelpack.supervised.supervisor import Packer

    if not timeout > 0.0:
        raise WrongUsage(f"--timeout {timeout:g} cannot be: give minutes, more than 0, such as --timeout 60.")
    project = find_project()
    environment, requirements = sort_environments(env or [])
    settings: dict[str, Any] = {
        "project": project,
        "environment": environment,
        "tolerance": Tolerance(labels=labels, atol=atol, rtol=rtol, cosine=cosine),
        "target": target,
        "drop": tuple(drop or ()),
        "trust": tuple(trust or ()),
        "requirements": requirements,
        "allow_version_skew": allow_version_skew,
        "precision": precision,
        "holdout": holdout,
        "max_loss": max_loss,
        "allow_fragile": allow_fragile,
        "dry_run": dry_run,
        "factory": factory,
    }
    if not dry_run:
        read_settings(project / SETTINGS)
    made: list[PackageResult] = []
    try:
        with ended_in_order(), Packer(timeout * 60.0) as packer:
            for model in models_of(source, name, sample):
                with StageProgress() as progress:
                    request = PackageRequest(source=model.source, name=model.name, sample=model.sample, **settings)
                    made.append(packer.package(request, progress))
                if not dry_run and add_endpoint(project / SETTINGS, model.name):
                    notice(f"added [endpoint.{model.name}] to {SETTINGS}")
    finally:
        _report(made, project, environment, dry_run=dry_run, as_json=as_json, one=name is not None)


def _report(
    made: "list[PackageResult]", project: Path, environment: str, *, dry_run: bool, as_json: bool, one: bool
) -> None:
    """Say first what was pinned, so that it is said whatever becomes of the report; then what was made."""
    if not made:
        return
    names = ", ".join(packed.name for packed in made)
    if dry_run:
        notice("nothing was written (--dry-run)")
    else:
        notice(f"{names} pinned for {environment} in serinus.lock. Next: serinus deploy {made[0].name} --local")
    try:
        _print(made, project, as_json=as_json, one=one)
    except Exception as error:
        what = "was measured" if dry_run else f"is packaged and pinned for {environment}"
        raise CliError(
            f"{names} {what}, but the report cannot be shown ({type(error).__name__}: {error}). "
            f"`serinus inspect {made[0].name}` shows the bundle."
        ) from error


def _print(made: "list[PackageResult]", project: Path, *, as_json: bool, one: bool) -> None:
    """What was made: as data, one object for one model; or as tables."""
    if as_json:
        data = [packed.to_json() for packed in made]
        print_json(data[0] if one else data)
        return
    for packed in made:
        print_result(packed, project)


def read_settings(settings: Path) -> tomlkit.TOMLDocument:
    """serinus.toml, to be written again with everything in its place; raises `CliError` where it is no TOML."""
    try:
        document = tomlkit.parse(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CliError(f"{settings} cannot be read as TOML: {error}. Mend it, then package again.") from error
    if not isinstance(document.get("endpoint", tomlkit.table()), Table | OutOfOrderTableProxy):
        raise CliError(f"{settings}: endpoint must be tables, [endpoint.NAME]. Mend it, then package again.")
    return document


def add_endpoint(settings: Path, name: str) -> bool:
    """Give the model an endpoint table in serinus.toml where it has none; the rest of the file stays as it is."""
    endpoints = read_settings(settings).get("endpoint", {})
    tables = [table for table in endpoints.values() if isinstance(table, dict)]
    if name in endpoints or any(table.get("model") == name for table in tables):
        return False
    text = settings.read_text(encoding="utf-8").rstrip("\n")
    beside = settings.with_name(settings.name + ".new")
    beside.write_text(f"{text}\n\n[endpoint.{name}]\n", encoding="utf-8")
    beside.replace(settings)
    return True
