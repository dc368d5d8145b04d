"""From which duration on a response is slow, now and formerly, for lognormal durations and for observed ones."""

import statistics
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from serinus.lambda_handlers.hooks.evidence import Floats
from serinus.lambda_handlers.hooks.metrics import FIVE_MINUTES_S, MINUTE_S, TRIFLE, TRIFLE_MS

#: The former threshold: so many times, and milliseconds more than, the stable version's 95th percentile.
FORMER_TIMES, FORMER_MORE_MS = 1.5, 25.0
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class SlowThresholds:
    """Milliseconds above which a response is slow."""

    now_ms: float
    former_ms: float

    @classmethod
    def of(cls, p50: float, p90: float, p95: float) -> "SlowThresholds":
        """As `metrics.learn_thresholds`, from percentiles of the stable version's durations."""
        return cls(max(p90, TRIFLE * p50, p50 + TRIFLE_MS), max(FORMER_TIMES * p95, p95 + FORMER_MORE_MS))


@dataclass(frozen=True, slots=True)
class LognormalDurations:
    """Durations with this median whose logarithm has the standard deviation ``sigma``."""

    median_ms: float
    sigma: float

    def quantile(self, share: float) -> float:
        return self.median_ms * float(np.exp(self.sigma * _NORMAL.inv_cdf(share)))

    def thresholds(self) -> SlowThresholds:
        """What these durations teach as the stable version's."""
        return SlowThresholds.of(*(self.quantile(share) for share in (0.5, 0.9, 0.95)))

    def share_above(self, threshold_ms: float) -> float:
        return 1 - _NORMAL.cdf(float(np.log(threshold_ms / self.median_ms)) / self.sigma)


def observe(seconds: Floats, durations_ms: Floats) -> SlowThresholds:
    """From durations at ``seconds``: medians over five minutes' percentiles now, over each minute's formerly."""
    p50, p90 = _median_percentiles(seconds, durations_ms, FIVE_MINUTES_S, (50, 90))
    (p95,) = _median_percentiles(seconds, durations_ms, MINUTE_S, (95,))
    return SlowThresholds.of(p50, p90, p95)


def _median_percentiles(
    seconds: Floats, values: Floats, period_s: int, percentiles: tuple[int, ...]
) -> list[float]:
    period = np.floor(seconds / period_s).astype(int)
    parts = np.split(values, np.flatnonzero(np.diff(period)) + 1)
    of_parts = [np.percentile(part, percentiles) for part in parts if len(part)]
    return [statistics.median(float(part[index]) for part in of_parts) for index in range(len(percentiles))]
