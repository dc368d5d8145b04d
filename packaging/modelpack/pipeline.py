"""From a trained model to a bundle's draft: load, convert, compare with the source, profile, write."""

import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.agreement import Agreement, compare
from serinus.lambda_handlers.contract.bundle import Manifest
from serinus.lambda_handlers.contract.lock import LOCK, read_lock
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack import bundle, sources
from serinus.modelpack.baseline import profile
from serinus.modelpack.card import write_card
from serinus.modelpack.errors import ConversionError, ParityError, SampleError
from serinus.modelpack.features import describe_features, make_signature
from serinus.modelpack.golden import choose_golden
from serinus.modelpack.holdout import accuracy, compare_metrics
from serinus.modelpack.layers.limits import room_beside_runtime
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.parity import Expected, expect, measure, refuse
from serinus.modelpack.plots import sketch
from serinus.modelpack.precision import choose, smaller
from serinus.modelpack.progress import Progress
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.robustness.errors import refuse_fragile, refuse_hard
from serinus.modelpack.robustness.gate import Gate
from serinus.modelpack.sample import MAX_ROWS, Sample, fit_to_model, read_table
from serinus.modelpack.sources import Graph, Source, mlflow
from serinus.modelpack.sources.files import hash_file, weigh
from serinus.modelpack.sources.mlflow_signature import Column, give_types, read_example, strings_of
from serinus.modelpack.stopwatch import Stopwatch

if TYPE_CHECKING:
    from serinus.modelpack.isolation.environment import Environment

_LIBRARIES = ("serinus", "numpy", "pandas", "onnx", "onnxruntime", "scikit-learn", "skl2onnx", "skops", "protobuf")


def draft(request: PackageRequest, progress: Progress, folder: Path) -> PackageResult:
    """Write the bundle that ``request`` describes into ``folder``, once it agrees with its source, and nothing
    into the project: that is `keeping`'s. All code of the model's runs here."""
    read_lock(request.project / LOCK)
    watch = Stopwatch(progress)
    watch.stage("load")
    with sources.opened(
        request.source,
        trust=request.trust,
        allow_version_skew=request.allow_version_skew,
        requirements=request.requirements,
        progress=watch,
        factory=request.factory,
    ) as (source, environment):
        return _draft(request, source, environment, watch, folder)


def _draft(
    request: PackageRequest, source: Source, environment: "Environment | None", watch: Stopwatch, folder: Path
) -> PackageResult:
    watch.stage("sample")
    sample = _read_sample(request, source, watch)
    features = describe_features(source, sample)
    expected = expect(source, sample, features)
    watch.stage("convert")
    gate = Gate(source, sample, features, expected)
    plain = _convert(source, sample, expected, request, gate)
    watch.stage("precision")
    hard = None if request.allow_fragile else gate
    room = room_beside_runtime(request.project, request.largest_unzipped_bytes)
    graph, table = choose(plain, sample, expected, request.tolerance, request.precision, room.model_bytes, hard)
    runner = Runner(graph.model, sample)
    watch.stage("robustness")
    features, joined = gate.bound(runner, request.tolerance)
    agreement = next(line.agreement for line in table if line.chosen and line.agreement is not None)
    holdout = _hold_out(request, source, runner)
    watch.stage("profile")
    signature = make_signature(
        source, sample, features, runner.output_types, _shapes(expected), runner.string_inputs
    )
    manifest = Manifest(request.name, "", signature, graph.precision, request.tolerance, source.framework)
    of_sample = {name: values[: expected.sample_rows] for name, values in expected.outputs.items()}
    parts = bundle.assemble(
        graph.model,
        manifest,
        profile(sample.frame, features, of_sample, source.classes),
        choose_golden(expected, features, _outside(expected, runner, agreement, request.tolerance)),
    )
    sizes = bundle.weights(parts)
    left = room.model_bytes - sum(sizes.values()) + len(parts.graph)
    room.check(request.name, sizes, smaller(table, graph.precision, left))
    manifest = parts.manifest
    robustness = gate.report(manifest, runner, joined)
    if robustness.fails(request.tolerance.labels) and not request.allow_fragile:
        raise refuse_fragile(robustness, agreement)
    watch.stage("write")
    score = _score(sample, of_sample)
    provenance = _provenance(request, source, agreement, watch.seconds)
    provenance |= {
        "precisions": [line.to_json() for line in table],
        "robustness": robustness.to_json(),
        "holdout": holdout,
        "score": None if score is None else {"name": _score_name(source), "value": score},
        "plots": sketch(expected, runner),
        "environment_of_source": None if environment is None else environment.to_json(),
    }
    bundle.write_parts(folder, parts, write_card(manifest, provenance, parts, expected.sample_rows), provenance)
    return PackageResult(
        bundle=bundle.folder_of(request.project, manifest),
        name=request.name,
        version=manifest.version,
        environment=request.environment,
        framework=source.framework,
        estimator=source.estimator,
        precision=graph.precision,
        source_bytes=weigh(request.source),
        graph_bytes=len(graph.model),
        bundle_bytes=0,
        parity=agreement,
        seconds=watch.stop(),
        score=score,
        notices=tuple(watch.notices),
        precisions=table,
        holdout=holdout,
        environment_of_source=provenance["environment_of_source"],
        robustness=robustness,
    )


def _hold_out(request: PackageRequest, source: Source, runner: Runner) -> dict[str, dict[str, float]] | None:
    """Metrics on the holdout, where there is one; raises `HoldoutError` past the gate."""
    if request.holdout is None:
        return None
    rows = read_table(request.holdout, strings_of(_columns(request)))
    held = _fit(request, source, rows.head(MAX_ROWS))
    source_outputs, ours = source.predict(held.frame), runner(held.frame)
    return compare_metrics(held.target, source_outputs, ours, source.classes, request.max_loss)


def _outside(expected: Expected, runner: Runner, agreement: Agreement, tolerance: Tolerance) -> set[int]:
    """Rows that a tolerance lets disagree: no hook may be asked to find them equal."""
    if not agreement.rows_out_of_tolerance:
        return set()
    found = compare(expected.outputs, runner(expected.frame), tolerance, worst=len(expected.frame))
    return set(found.worst_rows)


def _read_sample(request: PackageRequest, source: Source, progress: Progress) -> Sample:
    table = _read_rows(request)
    if len(table) > MAX_ROWS:
        progress.notice(f"the sample has more than {MAX_ROWS} rows; the first {MAX_ROWS} are used.")
    return _fit(request, source, table.head(MAX_ROWS))


def _fit(request: PackageRequest, source: Source, table: pd.DataFrame) -> Sample:
    columns = _columns(request)
    names = source.feature_names
    if names is None and columns is not None and source.feature_count in (None, len(columns)):
        names = tuple(column.name for column in columns)
    return fit_to_model(
        give_types(table, columns),
        names=names,
        count=source.feature_count,
        drop=request.drop,
        target=request.target,
        nested=source.nested,
    )


def _columns(request: PackageRequest) -> tuple[Column, ...] | None:
    """Names and types of an MLflow model's signature, where it has one."""
    return mlflow.read(request.source).columns if request.source.is_dir() else None


def _read_rows(request: PackageRequest) -> pd.DataFrame:
    """The sample's rows; without one, those of an MLflow model's input example."""
    columns = _columns(request)
    if request.sample is not None:
        return read_table(request.sample, strings_of(columns))
    if request.source.is_dir():
        example = mlflow.read(request.source).example
        if example is not None:
            return read_example(example, columns)
    raise SampleError(
        f"{request.source} brings no rows of its own. Give rows like those it will see: --sample sample.csv"
    )


def _convert(source: Source, sample: Sample, expected: Expected, request: PackageRequest, gate: Gate) -> Graph:
    """The first way of writing the model that loads and agrees, on hard values as well."""
    disagrees: ParityError | None = None
    fails_to_load: ConversionError | None = None
    for graph in source.graphs(sample):
        try:
            runner = Runner(graph.model, sample)
        except ConversionError as error:
            fails_to_load = fails_to_load or error
            continue
        agreement = measure(expected, runner, request.tolerance)
        differences = () if request.allow_fragile else gate.differences(runner, request.tolerance)
        if agreement.agrees and not differences:
            return graph
        if agreement.agrees:
            disagrees = disagrees or refuse_hard(differences, agreement)
        else:
            disagrees = disagrees or refuse(expected, runner, agreement, request.tolerance)
    raise disagrees or fails_to_load or ConversionError(f"{source.estimator} has no ONNX graph.", source.estimator)


def _shapes(expected: Expected) -> dict[str, tuple[int, ...]]:
    """Shape of each output for one row."""
    return {name: values.shape[1:] for name, values in expected.outputs.items()}


def _score(sample: Sample, outputs: dict[str, Any]) -> float | None:
    """Accuracy, or R² for a single value, against the target column."""
    if sample.target is None:
        return None
    if "label" in outputs and outputs["label"].ndim == 1:
        return accuracy(sample.target, outputs["label"])
    if "value" not in outputs:
        return None
    truth = sample.target.to_numpy(dtype=np.float64)
    value = outputs["value"]
    if value.ndim != 1 or not truth.var():
        return None
    return float(1.0 - np.mean((truth - value) ** 2) / truth.var())


def _score_name(source: Source) -> str:
    return "R²" if source.task == "regression" else "accuracy"


def _provenance(
    request: PackageRequest, source: Source, agreement: Agreement, seconds: dict[str, float]
) -> dict[str, Any]:
    libraries = {name: metadata.version(name) for name in _LIBRARIES}
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": {
            "file": request.source.name,
            "sha256": hash_file(request.source),
            "estimator": source.estimator,
        },
        "sample": None
        if request.sample is None
        else {"file": request.sample.name, "sha256": hash_file(request.sample)},
        "python": platform.python_version(),
        "libraries": libraries,
        "parity": agreement.to_json(),
        "seconds": seconds,
    }
