"""How much worse a metric may be: one-sided 95 % upper bounds of paired losses, row by row.

A difference of two point estimates hides its own uncertainty, and two separate intervals are far too wide, since
source and bundle err on the same rows. Bounds are Tango's for accuracy (Statistics in Medicine 17, 1998), DeLong's
for AUC (Biometrics 44, 1988), and of means of paired differences for the rest, by the delta method, with Hall's
correction for skewness (The Bootstrap and Edgeworth Expansion, 1992, section 3.8).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.modelpack.holdout import LEAST_PROBABILITY, is_right, measure_metrics, truth_matrix

#: The bounds are exact in the limit of many rows only, and few rows hold none of the rare large losses.
LEAST_ROWS = 100
#: The 95 % quantile of the normal distribution.
_QUANTILE = 1.6448536269514722

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairedLoss:
    """A metric of ``source`` and ``bundle``, the ``loss`` from one to the other, and ``at_most``, its upper bound.
    Losses are positive where the bundle is worse: differences of accuracy, AUC and R²; of errors and log losses,
    shares of the source's."""

    source: float
    bundle: float
    loss: float
    at_most: float


def measure_losses(
    truth: Any, source: Outputs, bundle: Outputs, classes: tuple[Any, ...] | None
) -> dict[str, PairedLoss]:
    """The loss of every metric of `holdout.measure_metrics` by name. Raises `SampleError` where none applies."""
    before, after = measure_metrics(truth, source, classes), measure_metrics(truth, bundle, classes)
    losses = (
        _classifier(truth, source, bundle, classes) if "accuracy" in before else _regressor(truth, source, bundle)
    )
    return {
        name: PairedLoss(before[name], after[name], *_or_infinite(*losses[name]))
        for name in before
        if name in losses and name in after
    }


def _or_infinite(loss: float, at_most: float) -> tuple[float, float]:
    """A metric that is not a number is no better."""
    return (loss, at_most) if math.isfinite(loss) and math.isfinite(at_most) else (math.inf, math.inf)


def _classifier(
    truth: Any, source: Outputs, bundle: Outputs, classes: tuple[Any, ...] | None
) -> dict[str, tuple[float, float]]:
    losses = {"accuracy": _accuracy(is_right(truth, source["label"]), is_right(truth, bundle["label"]))}
    if "probabilities" not in source or classes is None:
        return losses
    hits = truth_matrix(truth, classes)
    a, b = (outputs["probabilities"].astype(np.float64) for outputs in (source, bundle))
    losses["brier"] = _of_means(_brier(a, hits), _brier(b, hits))
    losses["log_loss"] = _of_means(_log_loss(a, hits), _log_loss(b, hits))
    if hits.shape[1] == 2 and 0 < hits[:, 1].sum() < len(hits):
        losses["auc"] = _auc(hits[:, 1] > 0, a[:, 1], b[:, 1])
    return losses


def _regressor(truth: Any, source: Outputs, bundle: Outputs) -> dict[str, tuple[float, float]]:
    target = np.asarray(truth, dtype=np.float64)
    a, b = (outputs["value"].astype(np.float64) - target for outputs in (source, bundle))
    apart = (target - target.mean()) ** 2
    spread = float(apart.mean())
    losses = {"rmse": _of_means(a**2, b**2, root=True), "mae": _of_means(np.abs(a), np.abs(b))}
    if spread:
        loss = float((b**2 - a**2).mean()) / spread
        losses["r2"] = (loss, _upper(loss, ((b**2 - a**2) - loss * apart) / spread))
    return losses


def _brier(predicted: Numbers, hits: Numbers) -> Numbers:
    apart: Numbers = (predicted - hits) ** 2
    return np.asarray(apart[:, 1] if hits.shape[1] == 2 else apart.sum(axis=1))


def _log_loss(predicted: Numbers, hits: Numbers) -> Numbers:
    of_truth = (np.clip(predicted, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY) * hits).sum(axis=1)
    return np.asarray(-np.log(np.maximum(of_truth, LEAST_PROBABILITY)))


def _of_means(before: Numbers, after: Numbers, *, root: bool = False) -> tuple[float, float]:
    """Loss and bound of a mean over rows as a share of the source's; of its root with ``root``."""
    a, b = float(before.mean()), float(after.mean())
    if not a:
        return b, _upper(b, after)
    ratio = b / a
    rows = (after - ratio * before) / a  # what each row adds to the ratio, to first order
    if not root:
        return ratio - 1.0, _upper(ratio - 1.0, rows)
    loss = math.sqrt(ratio) - 1.0 if ratio >= 0.0 else math.nan
    return loss, _upper(loss, rows / (2.0 * math.sqrt(ratio)) if ratio > 0.0 else rows)


def _upper(loss: float, rows: Numbers) -> float:
    """The bound of ``loss``, a mean of which each row's part, to first order, is in ``rows``."""
    count = len(rows)
    centred = rows - rows.mean()
    deviation = float(np.sqrt((centred**2).sum() / max(count - 1, 1)))
    if not deviation:
        return loss
    quantile = _QUANTILE + (_QUANTILE**3 + _QUANTILE) / (4.0 * max(count - 1, 1))  # Student's t, to first order
    skewness = float((centred**3).mean()) / deviation**3
    quantile += max(skewness, 0.0) * (2.0 * quantile**2 + 1.0) / (6.0 * math.sqrt(count))
    return loss + quantile * deviation / math.sqrt(count)


def _accuracy(before: npt.NDArray[np.bool_], after: npt.NDArray[np.bool_]) -> tuple[float, float]:
    became_wrong, became_right = int((before & ~after).sum()), int((~before & after).sum())
    count = len(before)
    return (became_wrong - became_right) / count, tango_upper(became_wrong, became_right, count)


def tango_upper(losses: int, gains: int, rows: int) -> float:
    """The score bound of the difference of paired proportions: ``losses`` became wrong, ``gains`` right. Without
    any change it is z² / (rows + z²), not zero."""
    low, high = (losses - gains) / rows, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        inside = _tango_score(losses, gains, rows, middle) >= -_QUANTILE
        low, high = (middle, high) if inside else (low, middle)
    return high


def _tango_score(losses: int, gains: int, rows: int, difference: float) -> float:
    """The score statistic of the hypothesis that the true difference is ``difference``."""
    linear = -losses - gains + (2.0 * rows - losses + gains) * difference
    constant = -gains * difference * (1.0 - difference)
    root = math.sqrt(max(linear**2 - 8.0 * rows * constant, 0.0))
    gained = (root - linear) / (4.0 * rows)
    variance = rows * (2.0 * gained + difference * (1.0 - difference))
    apart = losses - gains - rows * difference
    return apart / math.sqrt(variance) if variance > 0.0 else math.copysign(math.inf, apart) if apart else 0.0


def _auc(positive: npt.NDArray[np.bool_], before: Numbers, after: Numbers) -> tuple[float, float]:
    """By DeLong's structural components: the share of the other class that each row is ranked right against."""
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return math.inf, math.inf
    (above_a, below_a), (above_b, below_b) = (_placements(positive, scores) for scores in (before, after))
    loss = float(above_a.mean() - above_b.mean())
    parts = ((above_a - above_b), (below_a - below_b))
    variance = sum(float(part.var(ddof=1)) / len(part) for part in parts if len(part) > 1)
    return loss, loss + _QUANTILE * math.sqrt(variance)


def _placements(positive: npt.NDArray[np.bool_], scores: Numbers) -> tuple[Numbers, Numbers]:
    """Of each positive the share of negatives below it, and of each negative the share of positives above it."""
    share: Callable[[Numbers, Numbers], Numbers] = lambda of, among: (  # noqa: E731
        (np.searchsorted(among, of, "left") + np.searchsorted(among, of, "right")) / (2.0 * len(among))
    )
    hits, others = np.sort(scores[positive]), np.sort(scores[~positive])
    return share(scores[positive], others), 1.0 - share(scores[~positive], hits)
