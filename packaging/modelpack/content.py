"""The content of a bundle: signature, golden rows, what is monitored, and the acceptance test."""

from functools import partial
from typing import Any

from serinus.lambda_handlers.contract import constraints, monitored
from serinus.lambda_handlers.contract.agreement import compare
from serinus.lambda_handlers.contract.bundle import Golden, Manifest
from serinus.lambda_handlers.contract.constraints import Constraint
from serinus.lambda_handlers.contract.monitored import Monitored
from serinus.lambda_handlers.contract.prediction_bins import KEY
from serinus.lambda_handlers.contract.signature import Feature, Signature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack import bundle
from serinus.modelpack.acceptance import SHIPPED
from serinus.modelpack.baseline import profile
from serinus.modelpack.constraints import constraints_file, infer, read_edited, unique_columns
from serinus.modelpack.explain.background import check_explanations, choose_background, is_requested
from serinus.modelpack.features import build_signature
from serinus.modelpack.golden import choose_golden, with_examples
from serinus.modelpack.labelled import choose_golden_rows
from serinus.modelpack.monitored import (
    SAMPLE,
    TRAFFIC,
    choose_columns,
    describe_doubts,
    run_rows,
)
from serinus.modelpack.parity import Expected
from serinus.modelpack.precision import advise_smaller
from serinus.modelpack.prediction_bins import choose_bins, pinned_edges
from serinus.modelpack.progress import Progress
from serinus.modelpack.reference import Reference
from serinus.modelpack.request import PackageRequest
from serinus.modelpack.sample_source import read_traffic
from serinus.modelpack.shipped import Checked, ShippedGraph
from serinus.modelpack.synthetic import draw_expected, draw_rows

#: Of the rows drawn for the golden set.
_MOST_UNDECIDED = 0.05


def _watch(
    reference: Reference, shipped: ShippedGraph, checked: Checked, signature: Signature, progress: Progress
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


def assemble(
    reference: Reference, shipped: ShippedGraph, checked: Checked, progress: Progress
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
        _prepare_explanations(reference, shipped, manifest, golden, progress),
    )
    sizes = bundle.file_sizes(content)
    left_bytes = shipped.budget.model_bytes - sum(sizes.values()) + len(content.graph)
    advice = advise_smaller(shipped.precisions, shipped.graph.precision, left_bytes)
    shipped.budget.check(request.name, sizes, advice)
    return content


def _prepare_explanations(
    reference: Reference, shipped: ShippedGraph, manifest: Manifest, golden: Golden, progress: Progress
) -> list[list[Any]] | None:
    """The rows that explanations compare with, where the settings switch them on; golden rows are explained by
    them. Raises `ExplanationError` where they cannot be."""
    request, sample = reference.request, reference.sample
    if not is_requested(request.project, request.name):
        return None
    features = manifest.signature.features
    rows = sample.frame if request.golden == "sample" else draw_rows(reference.source, sample, features)
    background = choose_background(rows, manifest, shipped.runner)
    row_ms = check_explanations(manifest, shipped.runner, background, golden)
    progress.notice(
        f"explanations are on: the bundle holds {len(background)} rows to compare with, and a row is explained in "
        f"about {row_ms:.3g} ms on this machine."
    )
    return background


def _with_acceptance(reference: Reference, golden: Golden) -> Golden:
    """The golden set with the acceptance test, where there is one."""
    shipped = reference.acceptance.build(*SHIPPED)
    return golden if shipped is None else golden._replace(acceptance=shipped.to_contract(reference.features))


def _choose_golden(
    reference: Reference, shipped: ShippedGraph, checked: Checked, progress: Progress
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


def _outside(expected: Expected, shipped: ShippedGraph, request: PackageRequest) -> tuple[set[int], Tolerance]:
    """Rows that must not be golden, since the accepted graph differs in them, and the tolerance of all others: a
    hook that compares golden rows exactly must not meet the first."""
    outputs = shipped.runner(expected.frame)
    if shipped.is_accepted_by_labels:
        return choose_golden_rows(expected.outputs, outputs, shipped.tolerance, request.tolerance)
    everything = compare(expected.outputs, outputs, request.tolerance, worst=len(expected.frame))
    return set(everything.worst_rows), request.tolerance
