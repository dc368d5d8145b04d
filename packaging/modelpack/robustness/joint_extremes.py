"""Extremes in all features at once, where sums overflow or cancel that a single feature's would not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from serinus.lambda_handlers.contract.signature import Feature
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.robustness import probes as trying
from serinus.modelpack.robustness.ranges import Asked, Bounds, agree_by_row
from serinus.modelpack.robustness.source_oracle import are_finite, ask
from serinus.modelpack.sample import Sample
from serinus.modelpack.sources import Source

_PATTERNS = 3


@dataclass(frozen=True, slots=True)
class Joined:
    """``bounds`` by feature, narrowed where extremes in all features ask for it; ``asked`` holds the probes within
    them, and ``differs`` the places of those that the graph answers otherwise."""

    bounds: dict[str, Bounds]
    asked: Asked
    differs: tuple[int, ...]


def narrow(
    source: Source,
    sample: Sample,
    features: tuple[Feature, ...],
    bounds: dict[str, Bounds],
    runner: Runner,
    tolerance: Tolerance,
) -> Joined:
    """Bounds within which extremes in all of ``features`` agree as well: high, low, and in turn."""
    numbers = [feature for feature in features if _is_open_number(feature)]
    steps = _steps(numbers) if len(numbers) > 1 else []
    frame = _frame(sample, numbers, bounds, steps)
    groups = [np.arange(_PATTERNS, dtype=np.int64) + _PATTERNS * place for place in range(len(steps))]
    answers = ask(source, frame, groups, set(range(len(steps))))
    finite, same = np.zeros(len(frame), dtype=bool), np.zeros(len(frame), dtype=bool)
    if len(answers.answered):
        finite[answers.answered] = are_finite(answers.outputs, len(answers.answered))
        got = runner.one_by_one(frame.iloc[answers.answered])
        same[answers.answered] = agree_by_row(answers.outputs, got, tolerance)
    agreed = (finite & same).reshape(-1, _PATTERNS).all(axis=1)
    kept = len(steps) if agreed.all() else int(agreed.argmin())
    if kept < len(steps):
        bounds = _capped(bounds, numbers, steps[max(kept - 1, 0)], bool(finite[_PATTERNS * kept]))
    within = max(kept, min(1, len(steps))) * _PATTERNS
    probes = tuple(trying.Probe("extremes in all features", "", None) for _ in range(within))
    shown = answers.answered < within
    answers.answered = answers.answered[shown]
    answers.outputs = {name: values[shown] for name, values in answers.outputs.items()}
    answers.refused = {row: said for row, said in answers.refused.items() if row < within}
    differs = tuple(np.flatnonzero(finite[:within] & ~same[:within]).tolist())
    return Joined(bounds, Asked(probes, frame.head(within), answers, finite[:within]), differs)


def _is_open_number(feature: Feature) -> bool:
    closed = feature.unseen == "refused" and feature.categories is not None
    return feature.dtype in ("float64", "int64") and not feature.shape and not closed


def _steps(numbers: list[Feature]) -> list[dict[str, float]]:
    """Magnitudes by feature, ascending: beyond its sample, then the same for all."""
    first = {feature.name: trying.near(feature) for feature in numbers}
    farther = [dict.fromkeys(first, size) for size in trying.far_sizes() if size > 10.0 * max(first.values())]
    return [first, {name: 10.0 * size for name, size in first.items()}, *farther]


def _frame(
    sample: Sample, numbers: list[Feature], bounds: dict[str, Bounds], steps: list[dict[str, float]]
) -> pd.DataFrame:
    rows = trying.complete_rows(sample)
    frame = rows.iloc[np.arange(_PATTERNS * len(steps)) % len(rows)].reset_index(drop=True)
    columns = {name: frame[name].to_numpy(copy=True) for name in frame.columns}
    for place, feature in enumerate(numbers):
        alternating = 1 if place % 2 else -1
        values = [
            _within(feature, bounds, sign * step[feature.name]) for step in steps for sign in (1, -1, alternating)
        ]
        columns[feature.name] = np.array(values, dtype=columns[feature.name].dtype)
    return pd.DataFrame(columns)


def _within(feature: Feature, bounds: dict[str, Bounds], value: float) -> float:
    """``value``, or the bound that it is beyond; whole numbers exactly."""
    whole = feature.dtype == "int64"
    limit = bounds.get(feature.name, Bounds(None, None, ""))
    most = 2**63 - 1 if whole else trying.FLOAT64_MAX
    low, high = (
        (-most if limit.lowest is None else limit.lowest),
        (most if limit.highest is None else limit.highest),
    )
    found = min(max(value, low), high)
    return int(found) if whole else float(found)


def _capped(
    bounds: dict[str, Bounds], numbers: list[Feature], step: dict[str, float], answered: bool
) -> dict[str, Bounds]:
    found = dict(bounds)
    for feature in numbers:
        size = step[feature.name]
        now = bounds.get(feature.name, Bounds(None, None, ""))
        low = max(-size, -np.inf if now.lowest is None else now.lowest)
        high = min(size, np.inf if now.highest is None else now.highest)
        low, high = min(low, feature.minimum or 0.0), max(high, feature.maximum or 0.0)
        said = "the graph's rounding shows" if answered else "the source gives no finite answer"
        found[feature.name] = Bounds(float(low), float(high), now.why or f"beyond, in all features, {said}")
    return found
