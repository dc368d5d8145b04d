"""`serinus try`: a model's file to a running endpoint on this machine, in one command and any folder."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serinus.cli.console import notice, print_json, progress, results, table
from serinus.cli.errors import Interrupted, WrongUsage
from serinus.cli.target import AsJson
from serinus.cli.termination import ended_in_order

if TYPE_CHECKING:
    from serinus.cli.trial.run import Trial
    from serinus.cli.trial.stages import TrialStages


def try_(
    model: Annotated[Path, typer.Argument(help="Model file, or MLflow model folder.")],
    sample: Annotated[
        Path | None,
        typer.Argument(
            help="Rows like those that the endpoint will receive, as .csv or .parquet with a header. Required "
            "unless an MLflow folder holds an input example."
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the endpoint. Default: the file's name.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Label column of the sample. It is not a feature.")
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Another column that is not a feature. Repeat for several."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="New folder in which the project stays, with its cloud still running. Default: both are removed.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve a model on this machine: package it, deploy it into an offline cloud of its own, and predict.

    The command needs no project, changes no running cloud, and prints the endpoint's predictions beside those of
    the model's own library. On a terminal the endpoint then runs until Enter or Ctrl-C, so that its URL can be
    called; elsewhere, and with --json, the command ends at once. Nothing is left, except with --keep. A pickle or
    joblib file runs the code in it: use files from people you trust.

    Exit codes: as those of `serinus package`; 130 interrupted before the prediction.

    Example: [bold]serinus try model.joblib sample.csv[/]
    """
    require_readable(model, sample)

    from serinus.cli.package_report import model_name
    from serinus.cli.trial.run import TrialOptions, run_trial
    from serinus.cli.trial.stages import TrialStages
    from serinus.modelpack.errors import ModelpackError

    options = TrialOptions(model, name or model_name(model), sample, target, tuple(drop or ()), keep)
    stages = TrialStages()
    predicted = False
    try:
        with ended_in_order(), run_trial(options, stages) as trial:
            predicted = True
            _report(trial, stages, kept=keep is not None, as_json=as_json)
            if keep is None and not as_json and _on_terminal():
                _print_call(trial)
                notice("Enter or Ctrl-C ends the endpoint and removes everything.")
                sys.stdin.readline()
    except ModelpackError as error:
        if options_of_package(str(error)):
            notice(f"`serinus try` lacks {', '.join(options_of_package(str(error)))}; `serinus package` has it.")
        raise
    except KeyboardInterrupt as interrupt:
        if not predicted:
            raise Interrupted("interrupted; the cloud was stopped and nothing is left") from interrupt


def require_readable(model: Path, sample: Path | None) -> None:
    """`WrongUsage` for what is clear before the model is loaded, which takes seconds."""
    is_mlflow = (model / "MLmodel").is_file()
    if model.is_dir() and not is_mlflow:
        raise WrongUsage(f"{model} is a folder, but not an MLflow model. Name one model's file.")
    if sample is None and not is_mlflow:
        raise WrongUsage(f"{model} comes without rows. Add a table of some: serinus try {model} sample.csv")
    for path in (model, sample):
        if path is not None and not path.exists():
            raise WrongUsage(f"{path} does not exist. `serinus try` requires a model's file and a table of rows.")


def options_of_package(message: str) -> list[str]:
    """The options in ``message`` that only `serinus package` has."""
    return sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", message)) - {"--target", "--drop", "--name"})


def _on_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and progress.is_terminal


def _report(trial: "Trial", stages: "TrialStages", *, kept: bool, as_json: bool) -> None:
    """Print the predictions beside the source's, and with ``kept`` how to call and to end the endpoint."""
    if as_json:
        print_json(_as_data(trial, stages, kept=kept))
        return
    shown = table("row", "served", "source", ">difference")
    for number, row in enumerate(trial.rows):
        different = f"{row.difference:.1e}" if row.equal else "other label"
        shown.add_row(str(number), row.served, row.source, different)
    results.print()
    results.print(shown)
    results.print()
    if kept:
        _print_call(trial)
        results.print(f"project  {trial.project}; its cloud runs until `serinus local down` in this folder")


def _print_call(trial: "Trial") -> None:
    results.print(f"URL      {trial.endpoint.url}")
    results.print(trial.curl)


def _as_data(trial: "Trial", stages: "TrialStages", *, kept: bool) -> dict[str, Any]:
    """With ``kept`` also where the endpoint answers."""
    running = {"project": str(trial.project), **trial.endpoint.to_json(), "curl": trial.curl} if kept else {}
    return {
        "model_version": trial.endpoint.model_version,
        "rows": [row.to_json() for row in trial.rows],
        "seconds": stages.seconds,
        **running,
    }
