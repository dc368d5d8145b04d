"""Finds the models in a source, and prints the report on each packaged one."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from serinus.cli.console import megabytes, results, table
from serinus.cli.errors import CliError, WrongUsage

if TYPE_CHECKING:
    from serinus.modelpack.label_verdict import LabelVerdict
    from serinus.modelpack.measurements import Measurement
    from serinus.modelpack.request import PackageResult
    from serinus.modelpack.robustness.report import Robustness

_MODELS = (".joblib", ".pkl", ".pickle", ".skops", ".onnx", ".pt2", ".cbm", ".ubj")
#: Models among files that may be anything, by what their first bytes hold: XGBoost's and LightGBM's.
_MARKS = {".json": b'"learner"', ".txt": b"tree\n"}
_MARKED_BYTES = 256
_TABLES = (".parquet", ".csv")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """One model to package; without ``sample`` it must come with rows of its own."""

    source: Path
    name: str
    sample: Path | None


def find_models(source: Path, name: str | None, sample: Path | None) -> list[ModelSource]:
    """The model in file ``source``, or those in folder ``source``.

    Raises `CliError` if there is none, and `WrongUsage` if ``name`` is missing for a file or given for several
    models, or if two models of a folder have the same name.
    """
    if not source.is_dir() or (source / "MLmodel").is_file():
        if name is None:
            raise WrongUsage(f"{source} needs a name. Add --name {model_name(source)}")
        return [ModelSource(source, name, sample)]
    paths = [path for path in sorted(source.iterdir()) if _is_model(path)]
    if not paths:
        raise CliError(
            f"{source} holds no models ({', '.join(_MODELS)}, .json of XGBoost, .txt of LightGBM, or MLflow "
            "folders). Name a model's file, or the folder that holds them."
        )
    if name is not None:
        if len(paths) > 1:
            raise WrongUsage(
                f"--name {name} is for one model, and {source} holds {len(paths)}: {_listed(paths)}. Name one "
                f"file, such as {paths[0]}, or remove --name to name each by its file."
            )
        return [ModelSource(paths[0], name, sample or _table_beside(paths[0]))]
    _require_different_names(paths)
    return [ModelSource(path, model_name(path), _table_beside(path) or sample) for path in paths]


def _is_model(path: Path) -> bool:
    """Whether ``path`` is a model by its ending; .json and .txt by their content, since a project has others."""
    if path.suffix in _MARKS and path.is_file():
        with path.open("rb") as file:
            head = file.read(_MARKED_BYTES)
        return _MARKS[path.suffix] in head and head.startswith((b"{", b"tree\n"))
    return path.suffix in _MODELS or (path / "MLmodel").is_file()


def _require_different_names(paths: list[Path]) -> None:
    by_name: dict[str, Path] = {}
    for path in paths:
        other = by_name.setdefault(model_name(path), path)
        if other is not path:
            raise WrongUsage(
                f"{other} and {path} would both be packaged as {model_name(path)}. Package each with a --name of "
                "its own, or rename one."
            )


def _listed(paths: list[Path], most: int = 5) -> str:
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return ", ".join(path.name for path in paths[:most]) + more


def model_name(path: Path) -> str:
    """A model's name after its file; still to be checked, as it may begin with a digit."""
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:40].strip("-") or "model"


def _table_beside(path: Path) -> Path | None:
    return next((item for ending in _TABLES if (item := path.with_suffix(ending)).is_file()), None)


def print_result(packed: "PackageResult", project: Path) -> None:
    """A short report: the bundle, every precision that was tried, and metrics on a holdout."""
    shown = table("", "")
    parity = packed.parity
    shown.add_row("bundle", str(packed.bundle.relative_to(project)))
    shown.add_row("version", packed.version[:12])
    shown.add_row("size", f"{megabytes(packed.source_bytes)} source -> {megabytes(packed.graph_bytes)} ONNX")
    shown.add_row(
        "agreement",
        f"with the source on {parity.rows:,} rows, of the sample and with values missing or unseen: "
        f"{parity.labels_equal:.2%} of labels equal, largest difference {parity.max_abs_difference:.2g}",
    )
    if packed.acceptance:
        shown.add_row("acceptance", f"passed: {packed.acceptance}")
    if packed.environment_of_source is not None:
        own = packed.environment_of_source
        shown.add_row("versions", f"{packed.framework} on Python {own['python']}, {own['origin']}")
    results.print(shown)
    _print_precisions(packed)
    if packed.robustness is not None:
        print_robustness(packed.robustness)
    if packed.holdout is not None and not _shows_holdout(packed):
        metrics = table("holdout", ">source", ">bundle")
        for name, value in packed.holdout["source"].items():
            metrics.add_row(name, f"{value:.6g}", f"{packed.holdout['bundle'][name]:.6g}")
        results.print(metrics)


def _shows_holdout(packed: "PackageResult") -> bool:
    """Whether the table of losses by labels already shows the holdout's metrics."""
    return any(
        line.chosen and line.verdict is not None and line.verdict.origin == "holdout" for line in packed.precisions
    )


def print_robustness(robustness: "Robustness") -> None:
    """How the endpoint responds to values that the sample does not hold."""
    if robustness.lines:
        shown = table("edge-case inputs", "response", "features")
        for line in robustness.lines:
            shown.add_row(line.probe, line.summary(), line.where())
        results.print(shown)
    if robustness.reason:
        results.print(f"edge-case inputs: {robustness.reason}")


def _print_precisions(packed: "PackageResult") -> None:
    """The measured precisions as a table; the others in one line per reason."""
    shown = table("precision", ">size", ">load ms", ">1 row us", ">100 rows us", ">labels", ">max diff", "")
    left: dict[str, list[str]] = {}
    for line in packed.precisions:
        agreement = line.agreement
        if agreement is None:
            left.setdefault(line.note, []).append(line.precision)
            continue
        shown.add_row(
            line.precision,
            megabytes(line.size_bytes or 0),
            f"{line.session_ms:.1f}",
            f"{line.one_row_us:.0f}",
            f"{line.hundred_rows_us:.0f}",
            f"{agreement.labels_equal:.2%}",
            f"{agreement.max_abs_difference:.1e}",
            "shipped" if line.chosen else _remark(line),
        )
        if not line.chosen and line.note != _remark(line):
            left[line.note] = [line.precision]
    results.print(shown)
    if form := next((line.form for line in packed.precisions if line.chosen), ""):
        results.print(f"the trees are written as {form}")
    for note, precisions in left.items():
        results.print(f"{', '.join(precisions)}: {note}")
    if packed.advice:
        results.print(packed.advice)
    shipped = next((line for line in packed.precisions if line.chosen and line.verdict is not None), None)
    if shipped is not None and shipped.verdict is not None:
        _print_verdict(shipped.precision, shipped.verdict)


def _remark(line: "Measurement") -> str:
    """The note of a measured precision in few words: the column is narrow."""
    if line.verdict is not None and line.verdict.is_equal:
        return "equal by labels"
    return "out of tolerance" if not line.is_equal else line.note


def _print_verdict(precision: str, verdict: "LabelVerdict") -> None:
    """Why a graph that differs from its source is shipped: losses by metric, and the labels that changed."""
    shown = table("by labels", ">source", f">{precision}", ">worse by", ">at most")
    for name, loss in verdict.losses.items():
        figures = (f"{loss.source:.6g}", f"{loss.bundle:.6g}", f"{loss.loss:.2g}", f"{loss.at_most:.2g}")
        shown.add_row(name, *figures)
    results.print(shown)
    changes = verdict.changes
    if changes is None:
        return
    results.print(f"{verdict.origin}: {changes.summary()}")
    for direction in changes.directions:
        words = f"  {direction.rows} from {direction.before} to {direction.after}"
        if direction.source is not None and direction.bundle is not None:
            before, after = (f"{low:.3f} to {high:.3f}" for low, high in (direction.source, direction.bundle))
            words += f": probability of {direction.after} {before} before, {after} now"
        results.print(words)
