"""The gate: a bundle predicts edge cases as its source does, or its signature refuses them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.lambda_handlers.contract.bundle import Manifest
from serinus.lambda_handlers.contract.signature import Dtype, Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.features import UNSEEN_NUMBER, UNSEEN_STRING
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.parity import Expected
from serinus.modelpack.robustness.edges import move_to_edges
from serinus.modelpack.robustness.joint_extremes import JointExtremes, narrow
from serinus.modelpack.robustness.probes import ProbeKind, complete_rows, near_magnitude, select_features
from serinus.modelpack.robustness.ranges import (
    UNDECIDED,
    Bounds,
    ProbeAnswers,
    agree_by_probe,
    agree_by_row,
    failing_probes,
    find_bounds,
    probe_source,
)
from serinus.modelpack.robustness.report import Outcome, Robustness, count_outcomes
from serinus.modelpack.robustness.serving_check import as_requested, serve
from serinus.modelpack.robustness.source_oracle import select_rows
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Source


@dataclass(frozen=True, slots=True)
class _EndpointProbe:
    """One request, and the index of the source's prediction for it (None: the source refuses)."""

    kind: ProbeKind
    feature: str
    row: dict[str, Any]
    expected: int | None


class Gate:
    """Queries the source once, then compares any number of graphs."""

    def __init__(self, source: Source, sample: Sample, features: tuple[Feature, ...], expected: Expected) -> None:
        self._source, self._sample, self._features, self._expected = source, sample, features, expected
        self._probed = select_features(features)
        self._answers = probe_source(source, sample, self._probed) if self._probed else None

    def differences(self, runner: Runner, tolerance: Tolerance, undecided: float = UNDECIDED) -> tuple[str, ...]:
        """The probes, in words, on which the graph must agree with the source and does not. Labels may differ
        where the source's scores for them are no farther apart than ``undecided``."""
        if self._answers is None:
            return ()
        answers = self._answers
        failing = failing_probes(answers, agree_by_probe(answers, runner, tolerance, undecided), self._probed)
        allowed = int((1.0 - tolerance.labels) * len(answers.source.answered))
        return tuple(_describe(answers, index) for index in failing) if len(failing) > allowed else ()

    def find_bounds(
        self, runner: Runner, tolerance: Tolerance
    ) -> tuple[tuple[Feature, ...], JointExtremes | None]:
        """The features with the bounds within which the graph agrees, and extremes in all of them at once."""
        if self._answers is None:
            return self._features, None
        agrees = agree_by_probe(self._answers, runner, tolerance)
        agrees[failing_probes(self._answers, agrees, self._probed)] = True  # tolerated, or `differences` refused
        bounds = move_to_edges(
            find_bounds(self._answers, agrees, self._probed),
            self._answers,
            self._source,
            self._sample,
            self._probed,
            runner,
            tolerance,
        )
        joint = narrow(self._source, self._sample, self._probed, bounds, runner, tolerance)
        return tuple(_with_bounds(feature, joint.bounds, self._probed) for feature in self._features), joint

    def report(
        self,
        manifest: Manifest,
        runner: Runner,
        joint: JointExtremes | None,
        tolerance: Tolerance,
        undecided: float = UNDECIDED,
    ) -> Robustness:
        """The outcome of every probe at the endpoint of ``manifest``, compared as by `differences`."""
        if self._answers is None or joint is None:
            return Robustness(0, len(self._features), "its inputs are tensors, which have no single edge values")
        requests, expected = self._requests((self._answers, joint.answers))
        served = serve(manifest, runner, [request.row for request in requests])
        outcomes = _judge(requests, expected, served.statuses, served.outputs, tolerance, undecided)
        bounds = {
            feature.name: {
                "lowest": feature.lowest,
                "highest": feature.highest,
                "why": joint.bounds[feature.name].why if feature.name in joint.bounds else "as other features",
            }
            for feature in manifest.signature.features
            if feature.lowest is not None or feature.highest is not None
        }
        probed, total = len(self._probed), len(self._features)
        reason = "" if probed == total else f"{probed} of {total} features were probed"
        return Robustness(probed, total, reason, count_outcomes(outcomes), bounds)

    def _requests(self, probed: tuple[ProbeAnswers, ...]) -> tuple[list[_EndpointProbe], Outputs]:
        """The requests, and the source's outputs that they refer to."""
        dtypes = {feature.name: feature.dtype for feature in self._features}
        requests: list[_EndpointProbe] = []
        parts: list[Outputs] = []
        offset = 0
        for answers in probed:
            indices = {int(row): offset + index for index, row in enumerate(answers.source.answered)}
            rows = as_requested(answers.frame, dtypes)
            requests += [
                _EndpointProbe(probe.kind, probe.feature, row, indices.get(number))
                for number, (probe, row) in enumerate(zip(answers.probes, rows, strict=True))
            ]
            if indices:
                parts.append(answers.source.outputs)
                offset += len(indices)
        from_signature, expected_rows = self._of_the_signature(dtypes, offset)
        requests += from_signature
        parts.append(select_rows(self._expected.outputs, expected_rows))
        expected = {name: np.concatenate([part[name] for part in parts]) for name in parts[-1]}
        return requests, expected

    def _of_the_signature(self, dtypes: dict[str, Dtype], offset: int) -> tuple[list[_EndpointProbe], list[int]]:
        """Requests with values missing, unseen and infinite; and the rows of `Expected` for those accepted."""
        requests: list[_EndpointProbe] = []
        expected_rows: list[int] = []
        base = as_requested(complete_rows(self._sample).head(1), dtypes)[0]

        def add(kind: ProbeKind, feature: Feature, value: Any, expected_row: int | None) -> None:
            row = dict(base)
            if expected_row is not None:
                row = as_requested(self._expected.frame.iloc[[expected_row]], dtypes)[0]
                expected_rows.append(expected_row)
            row[feature.name] = value
            index = None if expected_row is None else offset + len(expected_rows) - 1
            requests.append(_EndpointProbe(kind, feature.name, row, index))

        variants = self._expected.variants
        for feature in self._probed:
            add("missing value", feature, None, variants.get((feature.name, True)))
            if feature.categories is not None and feature.dtype != "bool":
                value = UNSEEN_STRING if feature.dtype == "string" else UNSEEN_NUMBER
                add("unseen category", feature, value, variants.get((feature.name, False)))
            if feature.dtype in ("float64", "int64"):
                add("infinite number", feature, np.inf, None)
                add("infinite number", feature, -np.inf, None)
        return requests, expected_rows


def _describe(answers: ProbeAnswers, index: int) -> str:
    probe = answers.probes[index]
    shown = repr(probe.value) if len(repr(probe.value)) < 40 else f"{probe.value[:30]!r}…"
    return f"{probe.kind} {shown} in {probe.feature!r}"


def _judge(
    requests: list[_EndpointProbe],
    expected: Outputs,
    statuses: tuple[int, ...],
    actual: Outputs,
    tolerance: Tolerance,
    undecided: float,
) -> list[tuple[ProbeKind, str, Outcome]]:
    """Kind, feature and outcome by request; ``actual`` holds the outputs of those with status 200 alone."""
    accepted = [request for request, status in zip(requests, statuses, strict=True) if status == 200]
    compared = [
        (index, request.expected) for index, request in enumerate(accepted) if request.expected is not None
    ]
    same: set[int] = set()
    if compared:
        indices, expected_indices = (list(part) for part in zip(*compared, strict=True))
        agrees = agree_by_row(
            select_rows(expected, expected_indices), select_rows(actual, indices), tolerance, undecided
        )
        same = {index for index, agree in zip(indices, agrees, strict=True) if agree}
    outcomes: list[tuple[ProbeKind, str, Outcome]] = []
    index = -1
    for request, status in zip(requests, statuses, strict=True):
        outcome: Outcome
        if status == 200:
            index += 1
            outcome = "unguarded" if request.expected is None else "same" if index in same else "differs"
        else:
            outcome = "refused" if status < 500 else "differs"
        outcomes.append((request.kind, request.feature, outcome))
    return outcomes


def _with_bounds(feature: Feature, bounds: dict[str, Bounds], probed: tuple[Feature, ...]) -> Feature:
    """The feature with its bounds; one that was not probed gets the narrowest of the others' that are far from
    its own sample."""
    if feature.name in bounds:
        own = bounds[feature.name]
        lows = [low for low in (own.lowest, feature.lowest) if low is not None]
        highs = [high for high in (own.highest, feature.highest) if high is not None]
        return feature._replace(lowest=max(lows, default=None), highest=min(highs, default=None))
    closed = feature.unseen == "refused" and feature.categories is not None
    if feature in probed or closed or feature.shape or feature.dtype != "float64":
        return feature
    far = 10.0 * near_magnitude(feature)
    lows = [item.lowest for item in bounds.values() if item.lowest is not None and item.lowest <= -far]
    highs = [item.highest for item in bounds.values() if item.highest is not None and item.highest >= far]
    return feature._replace(lowest=max(lows, default=None), highest=min(highs, default=None))
