"""The graph that is shipped: the first that agrees, in the best precision, and the bounds within which it does."""

from dataclasses import dataclass

from serinus.lambda_handlers.contract.agreement import Agreement
from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.errors import ConversionError, ParityError
from serinus.modelpack.holdout import compare_metrics, has_metrics
from serinus.modelpack.labelled import edge_tolerance
from serinus.modelpack.layers.limits import SizeBudget, size_budget
from serinus.modelpack.measurements import Measurement
from serinus.modelpack.monitored import (
    HOLDOUT,
    SAMPLE,
    Rows,
    run_rows,
)
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.parity import measure_agreement, parity_error
from serinus.modelpack.precision import advise_labels, choose_precision
from serinus.modelpack.reference import HoldoutRows, Reference, label_rows
from serinus.modelpack.robustness.errors import edge_case_error
from serinus.modelpack.robustness.gate import Gate
from serinus.modelpack.robustness.joint_extremes import JointExtremes
from serinus.modelpack.robustness.ranges import UNDECIDED
from serinus.modelpack.sources import Graph
from serinus.modelpack.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class ShippedGraph:
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
class Checked:
    """The shipped graph's results: ``features`` with bounds, extremes in all of them, metrics on the holdout and
    its rows."""

    features: tuple[Feature, ...]
    joint: JointExtremes | None
    holdout: dict[str, dict[str, float]] | None
    holdout_rows: Rows | None


def convert(reference: Reference, gate: Gate) -> Graph:
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
            disagrees = disagrees or parity_error(
                reference.expected, runner, agreement, request.tolerance, getattr(source, "doubt", "")
            )
    raise disagrees or fails_to_load or ConversionError(f"{source.estimator} has no ONNX graph.", source.estimator)


def choose_graph(
    reference: Reference, converted: Graph, gate: Gate, holdout: HoldoutRows | None, watch: Stopwatch
) -> ShippedGraph:
    """The requested precision, or the best of those that agree. Raises `PrecisionError` where a requested one does
    not."""
    request = reference.request
    budget = size_budget(request.project, request.largest_unzipped_bytes)
    labelled = label_rows(reference, holdout)
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
    return ShippedGraph(graph, runner, precisions, chosen.agreement, budget, tolerance, advice)


def check_graph(
    reference: Reference, converted: Graph, shipped: ShippedGraph, gate: Gate, holdout: HoldoutRows | None
) -> Checked:
    """Bounds are those of the graph that agrees in every row: a smaller one accepts the same requests."""
    by_labels = shipped.is_accepted_by_labels
    bounding = Runner(converted.model, reference.sample) if by_labels else shipped.runner
    features, joint = gate.find_bounds(bounding, reference.request.tolerance)
    return Checked(features, joint, *_compare_on_holdout(reference, shipped.runner, holdout))


def _compare_on_holdout(
    reference: Reference, runner: Runner, holdout: HoldoutRows | None
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
