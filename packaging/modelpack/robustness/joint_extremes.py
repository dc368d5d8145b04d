"""Extremes in all features at once: sums may overflow or cancel that a single feature's extreme leaves intact."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.robustness.probes import (
    FLOAT64_MAX,
    Probe,
    complete_rows,
    far_magnitudes,
    near_magnitude,
)
from serinus.modelpack.robustness.ranges import Bounds, ProbeAnswers, agree_by_row
from serinus.modelpack.robustness.source_oracle import are_finite, query_source
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Source

_PATTERNS = 3


@dataclass(frozen=True, slots=True)
class JointExtremes:
    """``bounds`` by feature, narrowed where joint extremes require it; ``answers`` to the probes within them, and
    the indices of those that the graph predicts differently (``differs``)."""

    bounds: dict[str, Bounds]
    answers: ProbeAnswers
    differs: tuple[int, ...]


def narrow(
    source: Source,
    sample: Sample,
    features: tuple[Feature, ...],
    bounds: dict[str, Bounds],
    runner: Runner,
    tolerance: Tolerance,
) -> JointExtremes:
    """Bounds within which extremes in all of ``features`` agree as well: high, low, and alternating."""
    numbers = [feature for feature in features if _is_open_number(feature)]
    steps = _steps(numbers) if len(numbers) > 1 else []
    frame = _frame(sample, numbers, bounds, steps)
    groups = [np.arange(_PATTERNS, dtype=np.int64) + _PATTERNS * step for step in range(len(steps))]
    answers = query_source(source, frame, groups, set(range(len(steps))))
    finite, same = np.zeros(len(frame), dtype=bool), np.zeros(len(frame), dtype=bool)
    if len(answers.answered):
        finite[answers.answered] = are_finite(answers.outputs, len(answers.answered))
        actual = runner.run_by_row(frame.iloc[answers.answered])
        same[answers.answered] = agree_by_row(answers.outputs, actual, tolerance)
    agreed = (finite & same).reshape(-1, _PATTERNS).all(axis=1)
    kept = len(steps) if agreed.all() else int(agreed.argmin())
    if kept < len(steps):
        bounds = _capped(bounds, numbers, steps[max(kept - 1, 0)], bool(finite[_PATTERNS * kept]))
    within = max(kept, min(1, len(steps))) * _PATTERNS
    probes = tuple(Probe("extremes in all features", "", None) for _ in range(within))
    shown = answers.answered < within
    answers.answered = answers.answered[shown]
    answers.outputs = {name: values[shown] for name, values in answers.outputs.items()}
    answers.refused = {row: reason for row, reason in answers.refused.items() if row < within}
    differs = tuple(np.flatnonzero(finite[:within] & ~same[:within]).tolist())
    return JointExtremes(bounds, ProbeAnswers(probes, frame.head(within), answers, finite[:within]), differs)


def _is_open_number(feature: Feature) -> bool:
    closed = feature.unseen == "refused" and feature.categories is not None
    return feature.dtype in ("float64", "int64") and not feature.shape and not closed


def _steps(numbers: list[Feature]) -> list[dict[str, float]]:
    """Magnitudes by feature, ascending: beyond its sample, then the same for all."""
    first = {feature.name: near_magnitude(feature) for feature in numbers}
    farther = [dict.fromkeys(first, size) for size in far_magnitudes() if size > 10.0 * max(first.values())]
    return [first, {name: 10.0 * size for name, size in first.items()}, *farther]


def _frame(
    sample: Sample, numbers: list[Feature], bounds: dict[str, Bounds], steps: list[dict[str, float]]
) -> pd.DataFrame:
    rows = complete_rows(sample)
    frame = rows.iloc[np.arange(_PATTERNS * len(steps)) % len(rows)].reset_index(drop=True)
    columns = {name: frame[name].to_numpy(copy=True) for name in frame.columns}
    for number, feature in enumerate(numbers):
        alternating = 1 if number % 2 else -1
        values = [
            _clip(feature, bounds, sign * step[feature.name]) for step in steps for sign in (1, -1, alternating)
        ]
        columns[feature.name] = np.array(values, dtype=columns[feature.name].dtype)
    return pd.DataFrame(columns)


def _clip(feature: Feature, bounds: dict[str, Bounds], value: float) -> float:
    """``value``, or the bound that it exceeds; whole numbers exactly."""
    whole = feature.dtype == "int64"
    limit = bounds.get(feature.name, Bounds(feature.lowest, feature.highest, ""))
    most = 2**63 - 1 if whole else FLOAT64_MAX
    low, high = (
        (-most if limit.lowest is None else limit.lowest),
        (most if limit.highest is None else limit.highest),
    )
    clipped = min(max(value, low), high)
    return int(clipped) if whole else float(clipped)


def _capped(
    bounds: dict[str, Bounds], numbers: list[Feature], step: dict[str, float], predicts: bool
) -> dict[str, Bounds]:
    capped = dict(bounds)
    for feature in numbers:
        size = step[feature.name]
        current = bounds.get(feature.name, Bounds(feature.lowest, feature.highest, ""))
        low = max(-size, -np.inf if current.lowest is None else current.lowest)
        high = min(size, np.inf if current.highest is None else current.highest)
        low, high = min(low, feature.minimum or 0.0), max(high, feature.maximum or 0.0)
        reason = "the graph's rounding shows" if predicts else "the source gives no finite answer"
        why = current.why or f"beyond, in all features, {reason}"
        capped[feature.name] = Bounds(float(low), float(high), why)
    return capped
