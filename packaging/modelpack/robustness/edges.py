"""Where between two probes a source's finite predictions end.

Probes are ten times apart. A bound at the last of them would refuse rows beside the sample that the source
predicts, as of a logarithm just above its pole, or of a kernel that vanishes some distance from the sample.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.robustness.probes import complete_rows, near_magnitude
from serinus.modelpack.robustness.ranges import Bounds, ProbeAnswers, agree_by_row, end_of_answers
from serinus.modelpack.robustness.source_oracle import are_finite, query_source
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Source

_HALVINGS = 10

#: A feature's name, and the direction from its sample.
Side = tuple[str, Literal[-1, 1]]


def move_to_edges(
    bounds: Mapping[str, Bounds],
    answers: ProbeAnswers,
    source: Source,
    sample: Sample,
    features: tuple[Feature, ...],
    runner: Runner,
    tolerance: Tolerance,
) -> dict[str, Bounds]:
    """``bounds`` moved outward, where they are near the sample and the source itself has no finite answer at the
    next probe: by halving, to where all of some rows of the sample are still predicted, and alike."""
    by_name = {feature.name: feature for feature in features}
    open_sides = {
        side: (last, first)
        for side, last, first in _pairs(bounds, answers, features)
        if abs(first) <= 10.0 * near_magnitude(by_name[side[0]])
    }
    whole = {name for name, _ in open_sides if by_name[name].dtype == "int64"}
    ends = {side: last for side, (last, _) in open_sides.items()}
    for _ in range(_HALVINGS if open_sides else 0):
        tried = {side: _between(*pair, whole=side[0] in whole) for side, pair in open_sides.items()}
        holds = _hold(tried, source, sample, runner, tolerance)
        for side, value in tried.items():
            last, first = open_sides[side]
            open_sides[side] = (value, first) if holds[side] else (last, value)
            ends[side] = open_sides[side][0]
    moved = dict(bounds)
    for (name, sign), end in ends.items():
        moved[name] = replace(moved[name], highest=end) if sign > 0 else replace(moved[name], lowest=end)
    return moved


def _pairs(
    bounds: Mapping[str, Bounds], answers: ProbeAnswers, features: tuple[Feature, ...]
) -> list[tuple[Side, float, float]]:
    """Sides with a bound, the bound, and the probe at which the source's finite answers have ended."""
    pairs: list[tuple[Side, float, float]] = []
    for feature in features:
        if feature.name not in bounds:
            continue
        for sign, last in _ends(bounds[feature.name]):
            first = end_of_answers(answers, feature.name, sign)
            if last is not None and first is not None and sign * first > sign * last:
                pairs.append(((feature.name, sign), last, first))
    return pairs


def _ends(bounds: Bounds) -> tuple[tuple[Literal[-1, 1], float | None], ...]:
    return (-1, bounds.lowest), (1, bounds.highest)


def _between(last: float, first: float, *, whole: bool) -> float:
    middle = last + (first - last) / 2.0
    return int(middle) if whole else middle


def _hold(
    tried: Mapping[Side, float], source: Source, sample: Sample, runner: Runner, tolerance: Tolerance
) -> dict[Side, bool]:
    """Whether the source predicts every row with a side's value, finitely and as the graph does."""
    rows = complete_rows(sample)
    frames = [rows.assign(**{name: value}) for (name, _), value in tried.items()]
    frame = pd.concat(frames, ignore_index=True)
    groups = [np.arange(len(rows), dtype=np.int64) + len(rows) * number for number in range(len(frames))]
    answers = query_source(source, frame, groups, set(range(len(groups))))
    good = np.zeros(len(frame), dtype=bool)
    if len(answers.answered):
        actual = runner.run_by_row(frame.iloc[answers.answered])
        good[answers.answered] = are_finite(answers.outputs, len(answers.answered)) & agree_by_row(
            answers.outputs, actual, tolerance
        )
    return {side: bool(good[group].all()) for side, group in zip(tried, groups, strict=True)}
