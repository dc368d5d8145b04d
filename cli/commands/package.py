"""`serinus package`: a trained model becomes a checked bundle, pinned in serinus.lock."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tomlkit
import typer
from tomlkit.container import OutOfOrderTableProxy
from tomlkit.items import Table

from serinus.cli.console import notice, print_json
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.package_report import find_models, print_result
from serinus.cli.progress import StageProgress
from serinus.cli.project import find_project
from serinus.cli.target import AsJson
from serinus.cli.termination import ended_in_order
from serinus.infra.names import DEFAULT_ENVIRONMENT, SETTINGS

if TYPE_CHECKING:
    from serinus.modelpack.request import PackageResult


def package(
    source: Annotated[Path, typer.Argument(help="Model file, MLflow model folder, or folder of models.")],
    name: Annotated[
        str | None, typer.Option(help="Name of the model, and of its endpoint. Not for a folder of models.")
    ] = None,
    sample: Annotated[
        Path | None,
        typer.Option(help="Rows as the endpoint will receive them: .csv or .parquet with a header."),
    ] = None,
    env: Annotated[
        str, typer.Option(metavar="NAME", help="Environment in serinus.lock to pin the bundle for.")
    ] = DEFAULT_ENVIRONMENT,
    requirements: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="requirements.txt with the versions that the model was trained with."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Label column of the sample and the holdout. It is not a feature.")
    ] = None,
    drop: Annotated[
        list[str] | None, typer.Option(help="Another column that is not a feature. Repeat for several.")
    ] = None,
    trust: Annotated[
        list[str] | None, typer.Option(help="Type that a .skops file may load. Repeat for several.")
    ] = None,
    allow_version_skew: Annotated[
        bool,
        typer.Option(
            "--allow-version-skew",
            help="Load the model with the installed library versions, even if other versions saved it.",
        ),
    ] = False,
    labels: Annotated[
        float, typer.Option(help="Smallest share of rows whose label must equal the source model's, from 0 to 1.")
    ] = 1.0,
    atol: Annotated[
        float, typer.Option(help="Absolute tolerance of numbers: |difference| <= atol + rtol * |value|.")
    ] = 1e-4,
    rtol: Annotated[float, typer.Option(help="Relative tolerance of numbers, see --atol.")] = 1e-3,
    cosine: Annotated[
        float | None,
        typer.Option(help="For embeddings: smallest cosine similarity of a row, instead of --atol and --rtol."),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            help="Precision of the weights: float32, float16, int8, int8-static or int4; auto chooses one within "
            "the tolerances."
        ),
    ] = "auto",
    holdout: Annotated[
        Path | None,
        typer.Option(help="Labelled rows on which metrics of source and bundle are compared; requires --target."),
    ] = None,
    max_loss: Annotated[
        float, typer.Option(help="Largest loss of a metric on the holdout, as a difference to the source model's.")
    ] = 0.01,
    factory: Annotated[
        str | None,
        typer.Option(help="For PyTorch weights: function that creates their module, such as my_model:make."),
    ] = None,
    allow_fragile: Annotated[
        bool,
        typer.Option(
            "--allow-fragile", help="Accept a bundle that differs from the source model on edge-case inputs."
        ),
    ] = False,
    timeout: Annotated[
        float, typer.Option(help="Minutes without progress after which packaging is stopped.")
    ] = 15.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Convert, check and report, but write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Convert a trained model to ONNX, check that it agrees with the source model, and pin it in serinus.lock.

    In a folder of models each is named by its file and uses the table of the same name beside it (model.csv or
    model.parquet), or --sample. A model that other library versions saved is converted with those versions, in an
    environment of its own. The model's code runs in a separate process, which is stopped with the processes it
    started if it makes no progress for --timeout minutes.

    Exit codes: 1 setting, lock, or the model's code crashed; 2 usage; 3 source; 4 sample; 5 conversion; 6 out of
    tolerance; 7 too large for Lambda.

    Example: [bold]serinus package model.joblib --name churn --sample sample.csv[/]
    """
    from serinus.lambda_handlers.contract.tolerance import Tolerance
    from serinus.modelpack.request import PackageRequest, PackageResult
    from serinus.modelpack.supervised.supervisor import Packer

    if not timeout > 0.0:
        raise WrongUsage(f"--timeout {timeout:g} must be more than 0 minutes, such as --timeout 60.")
    require_environment_name(env)
    project = find_project()
    settings: dict[str, Any] = {
        "project": project,
        "environment": env,
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
    packaged: list[PackageResult] = []
    try:
        with ended_in_order(), Packer(timeout * 60.0) as packer:
            for model in find_models(source, name, sample):
                with StageProgress() as progress:
                    request = PackageRequest(source=model.source, name=model.name, sample=model.sample, **settings)
                    packaged.append(packer.package(request, progress))
                if not dry_run and add_endpoint(project / SETTINGS, model.name):
                    notice(f"added [endpoint.{model.name}] to {SETTINGS}")
    finally:
        _report(packaged, project, env, dry_run=dry_run, as_json=as_json, single=name is not None)


def require_environment_name(env: str) -> None:
    """`WrongUsage` for a file, which --env also accepted before --requirements existed."""
    if "." in env or "/" in env:
        raise WrongUsage(
            f"--env {env} is not the name of an environment. For the versions that the model was trained "
            f"with, use --requirements {env}."
        )


def _report(
    packaged: "list[PackageResult]", project: Path, environment: str, *, dry_run: bool, as_json: bool, single: bool
) -> None:
    """Print first what was pinned, so that it is printed even if the report fails; then the report."""
    if not packaged:
        return
    names = ", ".join(packed.name for packed in packaged)
    if dry_run:
        notice("nothing was written (--dry-run)")
    else:
        notice(
            f"{names} pinned for {environment} in serinus.lock. Next: serinus deploy {packaged[0].name} --local"
        )
    try:
        _print(packaged, project, as_json=as_json, single=single)
    except Exception as error:
        state = "was measured" if dry_run else f"is packaged and pinned for {environment}"
        raise CliError(
            f"{names} {state}, but the report cannot be printed ({type(error).__name__}: {error}). "
            f"`serinus inspect {packaged[0].name}` shows the bundle."
        ) from error


def _print(packaged: "list[PackageResult]", project: Path, *, as_json: bool, single: bool) -> None:
    """The results as JSON (one object for a single model), or as tables."""
    if as_json:
        data = [packed.to_json() for packed in packaged]
        print_json(data[0] if single else data)
        return
    for packed in packaged:
        print_result(packed, project)


def read_settings(settings: Path) -> tomlkit.TOMLDocument:
    """serinus.toml, as a document that keeps its layout; raises `CliError` if it is not TOML."""
    try:
        document = tomlkit.parse(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CliError(f"{settings} cannot be read as TOML: {error}. Correct it, then package again.") from error
    if not isinstance(document.get("endpoint", tomlkit.table()), Table | OutOfOrderTableProxy):
        raise CliError(
            f"{settings}: endpoint must be a table of tables, [endpoint.NAME]. Correct it, then package again."
        )
    return document


def add_endpoint(settings: Path, name: str) -> bool:
    """Add an endpoint table for the model to serinus.toml if there is none; returns whether it did."""
    endpoints = read_settings(settings).get("endpoint", {})
    tables = [table for table in endpoints.values() if isinstance(table, dict)]
    if name in endpoints or any(table.get("model") == name for table in tables):
        return False
    text = settings.read_text(encoding="utf-8").rstrip("\n")
    temporary = settings.with_name(settings.name + ".new")
    temporary.write_text(f"{text}\n\n[endpoint.{name}]\n", encoding="utf-8")
    temporary.replace(settings)
    return True
