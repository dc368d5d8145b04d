"""`serinus package`: a trained model becomes a checked bundle, pinned in serinus.lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serinus.cli import offline_process
from serinus.cli.candidate_report import describe_candidate
from serinus.cli.console import notice, print_json
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.finite import finite
from serinus.cli.package_report import find_models, print_result
from serinus.cli.progress import StageProgress
from serinus.cli.project import find_project
from serinus.cli.settings_file import add_endpoint, read_settings
from serinus.cli.target import AsJson
from serinus.cli.termination import ended_in_order
from serinus.infra.names import DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT, SETTINGS

if TYPE_CHECKING:
    from serinus.modelpack.request import PackageResult

#: A week; some timers of operating systems hold no more than about three.
LONGEST_TIMEOUT_MINUTES = 10_080.0


def package(
    source: Annotated[Path, typer.Argument(help="Model file, MLflow model folder, or folder of models.")],
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Name of the model and its endpoint. Required, except for a folder of models."
        ),
    ] = None,
    sample: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Rows like those that the endpoint will receive, as .csv or .parquet with a header. Source model "
            "and bundle are compared on every row. Required unless an MLflow folder holds an input example.",
        ),
    ] = None,
    env: Annotated[
        str, typer.Option(metavar="NAME", help="Environment for which serinus.lock pins the bundle.")
    ] = DEFAULT_ENVIRONMENT,
    requirements: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="requirements.txt with the library versions that the model was trained with. Default: the "
            "versions that the model file or MLflow folder records.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Label column of the sample and the holdout. It is not a feature. Without --holdout, the "
            "sample's labels decide whether a smaller precision is as good.",
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Another column that is not a feature. Repeat for several."),
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TYPE",
            help="For .skops files: type that may be loaded although skops does not trust it, such as "
            "my_package.MyScaler. Repeat for several.",
        ),
    ] = None,
    allow_version_skew: Annotated[
        bool,
        typer.Option(
            "--allow-version-skew",
            help="Load the model with the installed library versions, even if other versions saved it.",
        ),
    ] = False,
    labels: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            callback=finite,
            metavar="SHARE",
            help="Classifiers: smallest share of the sample's rows, from 0 to 1, for which bundle and source "
            "model must predict the same label.",
        ),
    ] = 1.0,
    atol: Annotated[
        float,
        typer.Option(
            min=0,
            callback=finite,
            metavar="NUMBER",
            help="Absolute tolerance of predicted numbers: |bundle - source| <= atol + rtol * |source|.",
        ),
    ] = 1e-4,
    rtol: Annotated[
        float,
        typer.Option(
            min=0, callback=finite, metavar="NUMBER", help="Relative tolerance of predicted numbers, see --atol."
        ),
    ] = 1e-3,
    cosine: Annotated[
        float | None,
        typer.Option(
            min=-1,
            max=1,
            callback=finite,
            metavar="NUMBER",
            help="Embeddings and other vectors: smallest cosine similarity of the bundle's and the source model's "
            "vector, such as 0.999, for every row. It replaces --atol and --rtol for them.",
        ),
    ] = None,
    precision: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Number format of the weights: float32, float16, int8, int8-dynamic (products too), int8-static "
            "(products too, calibrated on the sample) or int4. auto measures each and chooses the smallest "
            "within the tolerances, or that is as good by labels, unless it is clearly slower.",
        ),
    ] = "auto",
    holdout: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Labelled rows, as .csv or .parquet, on which metrics such as accuracy are compared between "
            "source model and bundle: a smaller precision that is no worse is chosen, although single rows "
            "differ. The monitor compares live predictions with theirs. Requires --target, a column of the "
            "sample too.",
        ),
    ] = None,
    traffic: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Rows as live requests hold them, as .csv or .parquet. Drift is measured against them, of inputs "
            "and of predictions; differences from the sample are reported.",
        ),
    ] = None,
    acceptance: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Rows with required answers, as .csv or .parquet: the features, and columns expected (label or "
            "number), min, max, of (the label whose probability they bound) and note. The bundle is refused "
            "where it answers otherwise, and so is each release. Default: acceptance.csv beside serinus.toml, "
            "if it exists.",
        ),
    ] = None,
    golden: Annotated[
        str,
        typer.Option(
            metavar="ROWS",
            help="Rows of the golden set, which is shipped with the bundle and committed: synthetic, drawn within "
            "each column of the sample and predicted by the source model; or sample, rows of the sample.",
        ),
    ] = "synthetic",
    max_loss: Annotated[
        float,
        typer.Option(
            min=0,
            callback=finite,
            metavar="NUMBER",
            help="With --holdout: by how much a metric of the bundle may be worse than the source model's; for a "
            "smaller precision, the upper end of a paired 95 % interval. On the sample's own labels half of it. "
            "Accuracy, AUC and R2: as a difference (0.01 allows 0.89 for 0.90). Errors and losses: as a "
            "share (0.01 allows 1 % more).",
        ),
    ] = 0.01,
    factory: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="For PyTorch weights: function that creates their module, such as my_model:make.",
        ),
    ] = None,
    allow_fragile: Annotated[
        bool,
        typer.Option(
            "--allow-fragile",
            help="Accept a bundle that differs from the source model on edge-case inputs, such as missing or "
            "extreme values.",
        ),
    ] = False,
    explain_refusal: Annotated[
        bool,
        typer.Option(
            "--explain-refusal",
            help="Where the model cannot be converted, list the conversion of each of its steps up to there.",
        ),
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(
            max=LONGEST_TIMEOUT_MINUTES,
            callback=finite,
            metavar="MINUTES",
            help="Minutes without progress after which packaging is stopped and fails.",
        ),
    ] = 15.0,
    candidate: Annotated[
        bool,
        typer.Option(
            "--candidate",
            help="Write the bundle and leave serinus.lock and serinus.toml as they are. `serinus rehearse` then "
            "compares the bundle with the pinned one, and `serinus pin` pins it.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Convert, check and report, but write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Convert a trained model to ONNX, check that it agrees with the source model, and pin it in serinus.lock.

    If no endpoint in serinus.toml serves the pinned model, a table endpoint.NAME is added. In a folder of models,
    each model has the name of its file (churn.joblib: churn), and its sample is the table of that name beside it
    (churn.csv or churn.parquet), or else --sample. A model that other library versions saved is converted with
    those versions, in a separate environment. The model's code runs in a separate process, which is stopped with
    the processes that it started if it makes no progress for --timeout minutes.

    Exit codes: 0 packaged; 1 an error in settings or lock, or a crash of the model's code; 2 usage; 3 the model
    cannot be read; 4 the sample does not fit; 5 the conversion failed; 6 out of tolerance; 7 too large for Lambda.

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
        "traffic": traffic,
        "acceptance": acceptance,
        "golden": golden,
        "max_loss": max_loss,
        "allow_fragile": allow_fragile,
        "dry_run": dry_run,
        "candidate": candidate,
        "factory": factory,
    }
    pins = not (dry_run or candidate)
    if pins:
        read_settings(project / SETTINGS)
    packaged: list[PackageResult] = []
    try:
        with ended_in_order(), Packer(timeout * 60.0) as packer:
            for model in find_models(source, name, sample):
                with StageProgress() as progress:
                    request = PackageRequest(source=model.source, name=model.name, sample=model.sample, **settings)
                    with explained(show=explain_refusal):
                        packaged.append(packer.package(request, progress))
                if pins and add_endpoint(project / SETTINGS, model.name):
                    notice(f"added to {SETTINGS}: [endpoint.{model.name}]")
    finally:
        if candidate and not dry_run:
            for packed in packaged:
                notice(describe_candidate(project, env, packed.name, packed.version))
        _report(packaged, project, env, dry_run=dry_run, pins=pins, as_json=as_json, single=name is not None)


@contextmanager
def explained(*, show: bool) -> Iterator[None]:
    """During the block, a conversion that fails is followed by what was tried for each step, with ``show``."""
    from serinus.modelpack.errors import ConversionError

    try:
        yield
    except ConversionError as error:
        if show:
            for attempt in error.attempts:
                where = f"{attempt.step}: " if attempt.step else ""
                notice(f"{where}{attempt.estimator} in {attempt.precision}: {attempt.failure or 'converted'}")
            if not error.attempts:
                notice("no step was converted before it was refused.")
        raise


def require_environment_name(env: str) -> None:
    """`WrongUsage` for a file, which --env also accepted before --requirements existed."""
    if "." in env or "/" in env:
        raise WrongUsage(
            f"--env {env} is not the name of an environment. For the versions that the model was trained "
            f"with, use --requirements {env}."
        )


def _report(
    packaged: "list[PackageResult]",
    project: Path,
    environment: str,
    *,
    dry_run: bool,
    pins: bool,
    as_json: bool,
    single: bool,
) -> None:
    """Print first what was pinned, so that it is printed even if the report fails; then the report."""
    if not packaged:
        return
    names = ", ".join(packed.name for packed in packaged)
    if dry_run:
        notice("nothing was written (--dry-run)")
    elif pins:
        notice(
            f"{names} pinned for {environment} in serinus.lock. "
            f"Next: {next_step(project, environment, packaged[0].name)}"
        )
    try:
        _print(packaged, project, as_json=as_json, single=single)
    except Exception as error:
        state = f"is packaged and pinned for {environment}" if pins else "is packaged"
        state = "was measured" if dry_run else state
        raise CliError(
            f"{names} {state}, but the report cannot be printed ({type(error).__name__}: {error}). "
            f"`serinus inspect {packaged[0].name}` shows the bundle."
        ) from error


def next_step(project: Path, environment: str, name: str) -> str:
    """The command that deploys what was pinned, after the one that starts an offline cloud where none runs."""
    if environment not in (DEFAULT_ENVIRONMENT, LOCAL_ENVIRONMENT):
        return f"serinus deploy {name} --env {environment}"
    deploy = f"serinus deploy {name} --local"
    try:
        running = offline_process.find(project) is not None
    except (CliError, OSError):  # about its record or key; `serinus deploy` reports it
        running = True
    return deploy if running else f"serinus local up, then {deploy}"


def _print(packaged: "list[PackageResult]", project: Path, *, as_json: bool, single: bool) -> None:
    """The results as JSON (one object for a single model), or as tables."""
    if as_json:
        data = [packed.to_json() for packed in packaged]
        print_json(data[0] if single else data)
        return
    for packed in packaged:
        print_result(packed, project)
