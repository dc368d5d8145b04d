"""From a trained model to a bundle: load, convert, compare with the source, profile, write.

Each step returns one frozen record, and the next takes it.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serinus.lambda_handlers.contract import constraints, monitored
from serinus.lambda_handlers.contract.agreement import Agreement, Outputs, compare
from serinus.lambda_handlers.contract.bundle import Golden, Manifest
from serinus.lambda_handlers.contract.constraints import Constraint
from serinus.lambda_handlers.contract.lock import LOCK, read_lock
from serinus.lambda_handlers.contract.monitored import Monitored
from serinus.lambda_handlers.contract.prediction_bins import KEY
from serinus.lambda_handlers.contract.signature import Feature, Signature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack import bundle, sources
from serinus.modelpack.acceptance import SHIPPED, THOROUGH, AcceptanceBuilder, AcceptanceTest, read_rules
from serinus.modelpack.baseline import profile
from serinus.modelpack.card import write_card
from serinus.modelpack.constraints import constraints_file, infer, read_edited, unique_columns
from serinus.modelpack.errors import AcceptanceError, ConversionError, ParityError
from serinus.modelpack.features import build_signature, describe_features
from serinus.modelpack.golden import choose_golden, with_examples
from serinus.modelpack.holdout import can_be_scored, compare_metrics, has_metrics
from serinus.modelpack.labelled import SAMPLE_SHARE, Labelled, choose_golden_rows, edge_tolerance
from serinus.modelpack.layers.limits import SizeBudget, size_budget
from serinus.modelpack.measurements import Measurement
from serinus.modelpack.monitored import (
    HOLDOUT,
    SAMPLE,
    TRAFFIC,
    Rows,
    choose_columns,
    describe_doubts,
    run_rows,
)
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.parity import Expected, measure_agreement, parity_error, predict_expected
from serinus.modelpack.plots import plot_points
from serinus.modelpack.precision import advise_labels, advise_smaller, choose_precision
from serinus.modelpack.prediction_bins import choose_bins, pinned_edges
from serinus.modelpack.progress import Progress
from serinus.modelpack.provenance import describe_origin, score_on_sample
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.robustness.errors import edge_case_error, fragile_endpoint_error
from serinus.modelpack.robustness.gate import Gate
from serinus.modelpack.robustness.joint_extremes import JointExtremes
from serinus.modelpack.robustness.ranges import UNDECIDED
from serinus.modelpack.robustness.report import Robustness
from serinus.modelpack.robustness.serving_check import serve
from serinus.modelpack.sample import MAX_ROWS, Sample
from serinus.modelpack.sample_source import fit_sample, read_acceptance, read_holdout, read_rows, read_traffic
from serinus.modelpack.sources import Graph, ModelFile, Source
from serinus.modelpack.sources.live import LiveModel
from serinus.modelpack.stopwatch import Stopwatch
from serinus.modelpack.synthetic import draw_expected

if TYPE_CHECKING:
    from serinus.modelpack.isolation.environment import Environment


#: Of the rows drawn for the golden set.
_MOST_UNDECIDED = 0.05


@dataclass(frozen=True, slots=True)
class _Reference:
    """The loaded model, the sample, and the source's outputs for it, which every graph is compared with."""

    request: PackageRequest
    file: ModelFile
    source: Source
    environment: "Environment | None"
    sample: Sample
    features: tuple[Feature, ...]
    expected: Expected
    acceptance: AcceptanceBuilder
    accepted: AcceptanceTest | None

    @property
    def sample_outputs(self) -> Outputs:
        """The source's outputs for the sample alone, without variants."""
        return {name: values[: self.expected.sample_rows] for name, values in self.expected.outputs.items()}


@dataclass(frozen=True, slots=True)
class _Holdout:
    """Labelled rows apart from the sample, and the source's outputs for them."""

    rows: Sample
    outputs: Outputs


@dataclass(frozen=True, slots=True)
class _ShippedGraph:
    """The graph in the precision that is shipped, loaded; the table of all precisions; Lambda's size limits.
    ``tolerance`` is the requested one, or the wider one that labelled rows accepted; ``advice`` says what labels
    would allow."""

    graph: Graph
    runner: Runner
    precisions: tuple[Measurement, ...]
    agreement: Agreement
    budget: SizeBudget
    tolerance: Tolerance
    advice: str

    @property
    def is_as_converted(self) -> bool:
        """Whether it is the converted graph, and no smaller one."""
        return self.precisions[0].chosen

    @property
    def is_accepted_by_labels(self) -> bool:
        """Whether it differs from the source, and labelled rows show that it is as good."""
        return any(line.chosen and line.verdict is not None for line in self.precisions)

    @property
    def edge_tolerance(self) -> tuple[Tolerance, float]:
        """What edge cases may differ by, and how far apart the scores of two labels are within it."""
        return edge_tolerance(self.tolerance) if self.is_accepted_by_labels else (self.tolerance, UNDECIDED)


@dataclass(frozen=True, slots=True)
class _Checked:
    """The shipped graph's results: ``features`` with bounds, extremes in all of them, metrics on the holdout and
    its rows."""

    features: tuple[Feature, ...]
    joint: JointExtremes | None
    holdout: dict[str, dict[str, float]] | None
    holdout_rows: Rows | None


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
        reference = _read_reference(request, file, source, environment, watch)
        watch.stage("convert")
        gate = Gate(source, reference.sample, reference.features, reference.expected)
        converted = _convert(reference, gate)
        watch.stage("precision")
        holdout = _read_holdout(reference)
        shipped = _choose_graph(reference, converted, gate, holdout, watch)
        watch.stage("robustness")
        checked = _check_graph(reference, converted, shipped, gate, holdout)
        watch.stage("profile")
        content = _assemble(reference, shipped, checked, watch)
        robustness = _check_endpoint(reference, shipped, checked, content, gate)
        watch.stage("write")
        return _write(reference, shipped, checked, content, robustness, watch, folder)


def _read_reference(
    request: PackageRequest,
    file: ModelFile,
    source: Source,
    environment: "Environment | None",
    progress: Progress,
) -> _Reference:
    table = read_rows(request, file, source)
    if len(table) > MAX_ROWS:
        progress.notice(f"the sample has more than {MAX_ROWS} rows; the first {MAX_ROWS} are used.")
    sample = fit_sample(request, file, source, table.head(MAX_ROWS))
    features = describe_features(source, sample)
    expected = predict_expected(source, sample, features)
    outputs = {name: values[: expected.sample_rows] for name, values in expected.outputs.items()}
    acceptance = AcceptanceBuilder(
        read_acceptance(request, file, source, sample),
        read_rules(request.project, request.name),
        sample,
        features,
        outputs,
        source.classes,
        request.tolerance,
    )
    accepted = acceptance.build(*THOROUGH)
    if accepted is not None:
        accepted.require_of(source)
    return _Reference(request, file, source, environment, sample, features, expected, acceptance, accepted)


def _convert(reference: _Reference, gate: Gate) -> Graph:
    """The first of the source's graphs that loads and agrees, on edge cases too."""
    source, request = reference.source, reference.request
    disagrees: ParityError | None = None
    fails_to_load: ConversionError | None = None
    for graph in source.graphs(reference.sample):
        try:
            runner = Runner(graph.model, reference.sample)
        except ConversionError as error:
            fails_to_load = fails_to_load or error
            continue
        agreement = measure_agreement(reference.expected, runner, request.tolerance)
        differences = () if request.allow_fragile else gate.differences(runner, request.tolerance)
        if agreement.agrees and not differences:
            return graph
        if agreement.agrees:
            disagrees = disagrees or edge_case_error(differences, agreement)
        else:
            disagrees = disagrees or parity_error(reference.expected, runner, agreement, request.tolerance)
    raise disagrees or fails_to_load or ConversionError(f"{source.estimator} has no ONNX graph.", source.estimator)


def _read_holdout(reference: _Reference) -> _Holdout | None:
    request, source = reference.request, reference.source
    table = read_holdout(request, reference.file, source)
    if table is None:
        return None
    rows = fit_sample(request, reference.file, source, table.head(MAX_ROWS))
    return _Holdout(rows, source.predict(rows.frame))


def _choose_graph(
    reference: _Reference, converted: Graph, gate: Gate, holdout: _Holdout | None, watch: Stopwatch
) -> _ShippedGraph:
    request = reference.request
    budget = size_budget(request.project, request.largest_unzipped_bytes)
    labelled = _label_rows(reference, holdout)
    graph, precisions = choose_precision(
        converted,
        reference.sample,
        reference.expected,
        request.tolerance,
        request.precision,
        budget.model_bytes,
        None if request.allow_fragile else gate,
        labelled,
        reference.accepted,
        watch.part,
    )
    chosen = next(line for line in precisions if line.chosen)
    assert chosen.agreement is not None
    if chosen.verdict is not None and chosen.verdict.origin == SAMPLE:
        watch.notice(
            f"{chosen.precision} is as good by the labels of the sample. In rows that trained the model fewer "
            "labels change than in new ones: half of --max-loss was allowed. --holdout FILE measures on new rows."
        )
    advice = advise_labels(precisions) if labelled is None and has_metrics(reference.expected.outputs) else ""
    runner = Runner(graph.model, reference.sample)
    tolerance = request.tolerance if chosen.verdict is None else chosen.verdict.tolerance
    return _ShippedGraph(graph, runner, precisions, chosen.agreement, budget, tolerance, advice)


def _label_rows(reference: _Reference, holdout: _Holdout | None) -> Labelled | None:
    """The rows whose labels judge graphs: the holdout's, or else the sample's."""
    request, classes = reference.request, reference.source.classes
    if holdout is not None:
        rows = holdout.rows
        return Labelled(HOLDOUT, rows.frame, rows.target, holdout.outputs, classes, request.max_loss)
    target, outputs = reference.sample.target, reference.sample_outputs
    if target is None or not can_be_scored(outputs, classes, target):
        return None
    allowed = SAMPLE_SHARE * request.max_loss
    return Labelled(SAMPLE, reference.sample.frame, target, outputs, classes, allowed)


def _check_graph(
    reference: _Reference, converted: Graph, shipped: _ShippedGraph, gate: Gate, holdout: _Holdout | None
) -> _Checked:
    """Bounds are those of the graph that agrees in every row: a smaller one accepts the same requests."""
    by_labels = shipped.is_accepted_by_labels
    bounding = Runner(converted.model, reference.sample) if by_labels else shipped.runner
    features, joint = gate.find_bounds(bounding, reference.request.tolerance)
    return _Checked(features, joint, *_compare_on_holdout(reference, shipped.runner, holdout))


def _compare_on_holdout(
    reference: _Reference, runner: Runner, holdout: _Holdout | None
) -> tuple[dict[str, dict[str, float]], Rows] | tuple[None, None]:
    """Metrics on the holdout and its rows, where there is one; raises `HoldoutError` past the gate."""
    if holdout is None:
        return None, None
    rows = run_rows(HOLDOUT, runner, holdout.rows)
    metrics = compare_metrics(
        holdout.rows.target,
        holdout.outputs,
        rows.outputs,
        reference.source.classes,
        reference.request.max_loss,
    )
    return metrics, rows


def _watch(
    reference: _Reference, shipped: _ShippedGraph, checked: _Checked, signature: Signature, progress: Progress
) -> tuple[Monitored, dict[str, Constraint]]:
    """The columns that the endpoint counts, and the constraints on inputs. Predictions are the shipped graph's, as
    the endpoint returns them."""
    live = read_traffic(reference.request, reference.file, reference.source, reference.sample)
    sample = run_rows(SAMPLE, shipped.runner, reference.sample)
    traffic = None if live is None else run_rows(TRAFFIC, shipped.runner, live)
    edited = read_edited(constraints_file(reference.request.project, reference.request.name), signature)
    watched = choose_columns(signature, sample, checked.holdout_rows, traffic, edited)
    for doubt in describe_doubts(watched, sample, signature):
        progress.notice(doubt)
    for name in edited.keys() & watched.unwatched.keys():
        progress.notice(f"the constraints on {name} hold for `serinus check` alone: {watched.unwatched[name]}.")
    unique = unique_columns(reference.sample.frame)
    return watched, infer(signature, watched, edited, unique)


def _assemble(
    reference: _Reference, shipped: _ShippedGraph, checked: _Checked, progress: Progress
) -> bundle.BundleContent:
    """The bundle's files in memory; raises `LayerLimitError` where they leave the function too large."""
    request, source, expected = reference.request, reference.source, reference.expected
    golden, features, tolerance = _choose_golden(reference, shipped, checked, progress)
    row_shapes = {name: values.shape[1:] for name, values in expected.outputs.items()}
    signature = build_signature(
        source,
        reference.sample,
        features,
        shipped.runner.output_types,
        row_shapes,
        shipped.runner.string_inputs,
    )
    manifest = Manifest(request.name, "", signature, shipped.graph.precision, tolerance, source.framework)
    baseline = profile(reference.sample.frame, checked.features, reference.sample_outputs, source.classes)
    find_pinned = partial(pinned_edges, request.project, request.environment, request.name)
    bins = choose_bins(signature, reference.sample_outputs, find_pinned, progress)
    watched, constrained = _watch(reference, shipped, checked, signature, progress)
    monitoring = {
        monitored.KEY: watched.to_json(),
        constraints.KEY: {name: constraint.to_json() for name, constraint in constrained.items()},
    }
    content = bundle.assemble_content(
        shipped.graph.model,
        manifest,
        baseline | {KEY: None if bins is None else bins.to_json(), **monitoring},
        _with_acceptance(reference, golden),
    )
    sizes = bundle.file_sizes(content)
    left_bytes = shipped.budget.model_bytes - sum(sizes.values()) + len(content.graph)
    advice = advise_smaller(shipped.precisions, shipped.graph.precision, left_bytes)
    shipped.budget.check(request.name, sizes, advice)
    return content


def _with_acceptance(reference: _Reference, golden: Golden) -> Golden:
    """The golden set with the acceptance test, where there is one."""
    shipped = reference.acceptance.build(*SHIPPED)
    return golden if shipped is None else golden._replace(acceptance=shipped.to_contract(reference.features))


def _choose_golden(
    reference: _Reference, shipped: _ShippedGraph, checked: _Checked, progress: Progress
) -> tuple[Golden, tuple[Feature, ...], Tolerance]:
    """The golden set, the features, and the tolerance that it keeps. Where its rows are drawn, the features'
    examples are theirs."""
    request, features = reference.request, checked.features
    if request.golden == "sample":
        outside, tolerance = _outside(reference.expected, shipped, request)
        golden = choose_golden(reference.expected, features, outside)
        progress.notice(
            f"the golden set holds {len(golden.rows)} rows of the sample; it is shipped with the bundle, and "
            "committed with it. --golden synthetic draws rows instead."
        )
        return golden, features, tolerance
    accepted = shipped.tolerance if shipped.is_accepted_by_labels else request.tolerance
    # A smaller graph may differ where the source itself is undecided; its rows are left out of the golden set.
    most = 0.0 if shipped.is_as_converted else _MOST_UNDECIDED
    drawn = draw_expected(
        reference.source, reference.sample, features, shipped.runner, accepted, most_outside=most
    )
    outside, tolerance = _outside(drawn, shipped, request)
    golden = choose_golden(drawn, features, outside)
    return golden, with_examples(features, golden), tolerance


def _outside(expected: Expected, shipped: _ShippedGraph, request: PackageRequest) -> tuple[set[int], Tolerance]:
    """Rows that must not be golden, since the accepted graph differs in them, and the tolerance of all others: a
    hook that compares golden rows exactly must not meet the first."""
    outputs = shipped.runner(expected.frame)
    if shipped.is_accepted_by_labels:
        return choose_golden_rows(expected.outputs, outputs, shipped.tolerance, request.tolerance)
    everything = compare(expected.outputs, outputs, request.tolerance, worst=len(expected.frame))
    return set(everything.worst_rows), request.tolerance


def _check_endpoint(
    reference: _Reference, shipped: _ShippedGraph, checked: _Checked, content: bundle.BundleContent, gate: Gate
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
    reference: _Reference,
    shipped: _ShippedGraph,
    checked: _Checked,
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
