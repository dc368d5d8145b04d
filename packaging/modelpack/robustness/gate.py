"""The gate: a bundle answers hard values as its source does, or its signature refuses them."""

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
from serinus.modelpack.robustness import probes as trying
from serinus.modelpack.robustness.joint_extremes import Joined, narrow
from serinus.modelpack.robustness.probes import Kind
from serinus.modelpack.robustness.ranges import (
    Asked,
    Bounds,
    agree_by_row,
    agreeing,
    ask_probes,
    differing,
    find_bounds,
)
from serinus.modelpack.robustness.report import Outcome, Robustness, count
from serinus.modelpack.robustness.serving_check import as_requested, serve
from serinus.modelpack.robustness.source_oracle import pick
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Source


@dataclass(frozen=True, slots=True)
class _Case:
    """One request, and the place of the source's answer among those of its kind (None: it refuses)."""

    kind: Kind
    feature: str
    row: dict[str, Any]
    want: int | None


class Gate:
    """Asks the source once, then any number of graphs."""

    def __init__(self, source: Source, sample: Sample, features: tuple[Feature, ...], expected: Expected) -> None:
        self._source, self._sample, self._features, self._expected = source, sample, features, expected
        self._chosen = trying.choose_features(features)
        self._asked = ask_probes(source, sample, self._chosen) if self._chosen else None

    def differences(self, runner: Runner, tolerance: Tolerance) -> tuple[str, ...]:
        """Probes in words that the graph must answer as the source does, and does not."""
        if self._asked is None:
            return ()
        asked = self._asked
        places = differing(asked, agreeing(asked, runner, tolerance), self._chosen)
        allowed = int((1.0 - tolerance.labels) * len(asked.answers.answered))
        return tuple(self._told(place) for place in places) if len(places) > allowed else ()

    def _told(self, place: int) -> str:
        assert self._asked is not None
        probe = self._asked.probes[place]
        shown = repr(probe.value) if len(repr(probe.value)) < 40 else f"{probe.value[:30]!r}…"
        return f"{probe.kind} {shown} in {probe.feature!r}"

    def bound(self, runner: Runner, tolerance: Tolerance) -> tuple[tuple[Feature, ...], Joined | None]:
        """The features with the bounds within which the graph agrees, and extremes in all of them at once."""
        if self._asked is None:
            return self._features, None
        same = agreeing(self._asked, runner, tolerance)
        same[differing(self._asked, same, self._chosen)] = True  # let through, or not here
        bounds = find_bounds(self._asked, same, self._chosen)
        joined = narrow(self._source, self._sample, self._chosen, bounds, runner, tolerance)
        return tuple(_bounded(feature, joined.bounds, self._chosen) for feature in self._features), joined

    def report(self, manifest: Manifest, runner: Runner, joined: Joined | None) -> Robustness:
        """What the endpoint of ``manifest`` answers to every probe."""
        if self._asked is None or joined is None:
            return Robustness(0, len(self._features), "its inputs are tensors, which have no single hard values")
        outcomes = self._outcomes(manifest, runner, (self._asked, joined.asked))
        bounds = {
            feature.name: {
                "lowest": feature.lowest,
                "highest": feature.highest,
                "why": joined.bounds[feature.name].why if feature.name in joined.bounds else "as other features",
            }
            for feature in manifest.signature.features
            if feature.lowest is not None or feature.highest is not None
        }
        probed, of = len(self._chosen), len(self._features)
        reason = "" if probed == of else f"{probed} of {of} features were probed"
        return Robustness(probed, of, reason, count(outcomes), bounds)

    def _outcomes(
        self, manifest: Manifest, runner: Runner, asked: tuple[Asked, ...]
    ) -> list[tuple[Kind, str, Outcome]]:
        dtypes = {feature.name: feature.dtype for feature in self._features}
        cases: list[_Case] = []
        wants: list[Outputs] = []
        offset = 0
        for part in asked:
            places = {int(row): offset + place for place, row in enumerate(part.answers.answered)}
            rows = as_requested(part.frame, dtypes)
            cases += [
                _Case(probe.kind, probe.feature, row, places.get(number))
                for number, (probe, row) in enumerate(zip(part.probes, rows, strict=True))
            ]
            if places:
                wants.append(part.answers.outputs)
                offset += len(places)
        refused, known = self._of_the_signature(dtypes, offset)
        cases += refused
        wants.append(pick(self._expected.outputs, known))
        want = {name: np.concatenate([part[name] for part in wants]) for name in wants[-1]}
        served = serve(manifest, runner, [case.row for case in cases])
        return _judged(cases, want, served.statuses, served.outputs, manifest.tolerance)

    def _of_the_signature(self, dtypes: dict[str, Dtype], offset: int) -> tuple[list[_Case], list[int]]:
        """Requests with values missing, unseen and infinite, and the rows of what the source gave where it may."""
        cases: list[_Case] = []
        known: list[int] = []
        base = as_requested(trying.complete_rows(self._sample).head(1), dtypes)[0]

        def add(kind: Kind, feature: Feature, value: Any, place: int | None) -> None:
            row = dict(base)
            if place is not None:
                row = as_requested(self._expected.frame.iloc[[place]], dtypes)[0]
                known.append(place)
            row[feature.name] = value
            cases.append(_Case(kind, feature.name, row, None if place is None else offset + len(known) - 1))

        variants = self._expected.variants
        for feature in self._chosen:
            add("missing value", feature, None, variants.get((feature.name, True)))
            if feature.categories is not None and feature.dtype != "bool":
                value = UNSEEN_STRING if feature.dtype == "string" else UNSEEN_NUMBER
                add("unseen category", feature, value, variants.get((feature.name, False)))
            if feature.dtype in ("float64", "int64"):
                add("infinite number", feature, np.inf, None)
                add("infinite number", feature, -np.inf, None)
        return cases, known


def _judged(
    cases: list[_Case], want: Outputs, statuses: tuple[int, ...], got: Outputs, tolerance: Tolerance
) -> list[tuple[Kind, str, Outcome]]:
    answered = [case for case, status in zip(cases, statuses, strict=True) if status == 200]
    compared = [(place, case.want) for place, case in enumerate(answered) if case.want is not None]
    same: set[int] = set()
    if compared:
        places, wanted = (list(part) for part in zip(*compared, strict=True))
        agrees = agree_by_row(pick(want, wanted), pick(got, places), tolerance)
        same = {place for place, agree in zip(places, agrees, strict=True) if agree}
    found: list[tuple[Kind, str, Outcome]] = []
    place = -1
    for case, status in zip(cases, statuses, strict=True):
        outcome: Outcome
        if status == 200:
            place += 1
            outcome = "unguarded" if case.want is None else "same" if place in same else "differs"
        else:
            outcome = "refused" if status < 500 else "differs"
        found.append((case.kind, case.feature, outcome))
    return found


def _bounded(feature: Feature, bounds: dict[str, Bounds], chosen: tuple[Feature, ...]) -> Feature:
    """The feature with its bounds; one that was not probed takes the narrowest of the others' that are far from
    its own sample."""
    if feature.name in bounds:
        own = bounds[feature.name]
        return feature._replace(lowest=own.lowest, highest=own.highest)
    closed = feature.unseen == "refused" and feature.categories is not None
    if feature in chosen or closed or feature.shape or feature.dtype != "float64":
        return feature
    far = 10.0 * trying.near(feature)
    lows = [item.lowest for item in bounds.values() if item.lowest is not None and item.lowest <= -far]
    highs = [item.highest for item in bounds.values() if item.highest is not None and item.highest >= far]
    return feature._replace(lowest=max(lows, default=None), highest=min(highs, default=None))
