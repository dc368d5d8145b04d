"""From a trained model to a bundle: load, convert, compare with the source, profile, write.

Each step returns one frozen record, and the next takes it.
"""

from pathlib import Path
from typing import Any

from serinus.lambda_handlers.contract.bundle import Manifest
from serinus.lambda_handlers.contract.lock import LOCK, read_lock
from serinus.modelpack import bundle, sources
from serinus.modelpack.acceptance import AcceptanceTest
from serinus.modelpack.card import write_card
from serinus.modelpack.content import assemble
from serinus.modelpack.errors import AcceptanceError
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.plots import plot_points
from serinus.modelpack.progress import Progress
from serinus.modelpack.provenance import describe_origin, score_on_sample
from serinus.modelpack.reference import Reference, predict_holdout, read_reference
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.robustness.errors import fragile_endpoint_error
from serinus.modelpack.robustness.gate import Gate
from serinus.modelpack.robustness.report import Robustness
from serinus.modelpack.robustness.serving_check import serve
from serinus.modelpack.shipped import Checked, ShippedGraph, check_graph, choose_graph, convert
from serinus.modelpack.sources.live import LiveModel
from serinus.modelpack.stopwatch import Stopwatch


def build_bundle(
    request: PackageRequest, progress: Progress, folder: Path, live: LiveModel | None = None
) -> PackageResult:
    """Write the bundle of ``request`` into ``folder`` once it agrees with its source. All of the model's code runs
    here; `publish` alone writes into the project. ``live`` is the model where it is no file. Raises
    `ModelpackError`, and `ContractError` where the project's lock is damaged."""
    read_lock(request.project / LOCK)
    watch = Stopwatch(progress)
    watch.stage("load")
    file = sources.read_model_file(request.source) if live is None else live.file
    if live is None:
        opening = sources.opened(
            file,
            trust=request.trust,
            allow_version_skew=request.allow_version_skew,
            requirements=request.requirements,
            progress=watch,
            factory=request.factory,
        )
    else:
        opening = live.opened(watch)
    with opening as (source, environment):
        watch.stage("sample")
        reference = read_reference(request, file, source, environment, watch)
        watch.stage("convert")
        gate = Gate(source, reference.sample, reference.features, reference.expected)
        converted = convert(reference, gate)
        watch.stage("precision")
        holdout = predict_holdout(reference)
        shipped = choose_graph(reference, converted, gate, holdout, watch)
        watch.stage("robustness")
        checked = check_graph(reference, converted, shipped, gate, holdout)
        watch.stage("profile")
        content = assemble(reference, shipped, checked, watch)
        robustness = _check_endpoint(reference, shipped, checked, content, gate)
        watch.stage("write")
        return _write(reference, shipped, checked, content, robustness, watch, folder)


def _check_endpoint(
    reference: Reference, shipped: ShippedGraph, checked: Checked, content: bundle.BundleContent, gate: Gate
) -> Robustness:
    """The endpoint's outcome on edge cases. Raises `ParityError` where it differs from the source too often, and
    `AcceptanceError` where it does not answer as its acceptance test requires."""
    request = reference.request
    if reference.accepted is not None:
        _require_answers(reference.accepted, content.manifest, shipped.runner)
    robustness = gate.report(content.manifest, shipped.runner, checked.joint, *shipped.edge_tolerance)
    refused = not (request.allow_fragile or shipped.is_accepted_by_labels)  # whose edge cases were accepted
    if refused and robustness.fails(request.tolerance.labels):
        raise fragile_endpoint_error(robustness, shipped.agreement)
    return robustness


def _require_answers(test: AcceptanceTest, manifest: Manifest, runner: Runner) -> None:
    """Raise `AcceptanceError` where the endpoint rejects a row of ``test`` or answers otherwise than required."""
    rows = test.to_contract(manifest.signature.features).rows
    answers = serve(manifest, runner, rows)
    rejected = [row for row, status in enumerate(answers.statuses) if status != 200]
    if rejected:
        named = next((item.name for item in test.requirements if rejected[0] in item.rows), f"row {rejected[0]}")
        raise AcceptanceError(
            f"the endpoint rejects {len(rejected)} rows of the acceptance test with status "
            f"{answers.statuses[rejected[0]]}. {named}: {rows[rejected[0]]}. Correct the row; the card lists what "
            "is accepted.",
            (named,),
        )
    test.require(answers.outputs, "the endpoint")


def _write(
    reference: Reference,
    shipped: ShippedGraph,
    checked: Checked,
    content: bundle.BundleContent,
    robustness: Robustness,
    watch: Stopwatch,
    folder: Path,
) -> PackageResult:
    request, source, manifest = reference.request, reference.source, content.manifest
    score = score_on_sample(reference.sample, reference.sample_outputs, source)
    environment = None if reference.environment is None else reference.environment.to_json()
    provenance: dict[str, Any] = {
        **describe_origin(reference.file, request.sample, source, shipped.agreement, watch.seconds),
        "precisions": [line.to_json() for line in shipped.precisions],
        "advice": shipped.advice,
        "acceptance": None if reference.accepted is None else reference.accepted.to_json(),
        "robustness": robustness.to_json(),
        "holdout": checked.holdout,
        "score": score,
        "golden": request.golden,
        "plots": plot_points(reference.expected, shipped.runner),
        "environment_of_source": environment,
    }
    card = write_card(manifest, provenance, content, reference.expected.sample_rows)
    bundle.write_files(folder, content, card, provenance)
    return PackageResult(
        bundle=bundle.bundle_folder(request.project, manifest),
        name=request.name,
        version=manifest.version,
        environment=request.environment,
        framework=source.framework,
        estimator=source.estimator,
        precision=shipped.graph.precision,
        source_bytes=reference.file.size_bytes,
        graph_bytes=len(shipped.graph.model),
        bundle_bytes=0,
        parity=shipped.agreement,
        seconds=watch.stop(),
        score=None if score is None else score["value"],
        notices=tuple(watch.notices),
        precisions=shipped.precisions,
        holdout=checked.holdout,
        environment_of_source=environment,
        robustness=robustness,
        advice=shipped.advice,
        acceptance="" if reference.accepted is None else reference.accepted.to_json()["summary"],
    )
