"""Traffic whose requests are independent of each other: minutes' counts drawn at once, without their requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np

from judging.batch_capital import Counts
from judging.thresholds import LognormalDurations
from judging.verdicts import SimulatedRollout, fair_minutes
from serinus.lambda_handlers.contract.signals import PREDICTION_BINS
from serinus.lambda_handlers.hooks.evidence import Floats
from serinus.lambda_handlers.hooks.metrics import MINUTE_S
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.rollout_window import YOUNG_S, Rollout
from serinus.lambda_handlers.hooks.shift_schedule import ShiftSchedule

USUAL_DURATIONS = LognormalDurations(60.0, 0.5)
USUAL_PREDICTIONS = (0.60, 0.25, 0.10, 0.05)
#: Of numbers whose bins are the deciles of their own distribution.
EVEN_DECILES = (0.1,) * 10
_USUAL_SLOW = USUAL_DURATIONS.share_above(USUAL_DURATIONS.thresholds().now_ms)
_USUAL_FORMER_SLOW = USUAL_DURATIONS.share_above(USUAL_DURATIONS.thresholds().former_ms)


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of one version's requests that show each event. ``former_slow``: above the former threshold;
    ``former_predictions``: by the version's own bins, if they are others."""

    errors: float = 0.01
    rejected: float = 0.02
    non_finite: float = 0.001
    slow: float = _USUAL_SLOW
    former_slow: float = _USUAL_FORMER_SLOW
    predictions: tuple[float, ...] = USUAL_PREDICTIONS
    former_predictions: tuple[float, ...] | None = None
    inits_a_minute: float = 0.0
    slow_inits: float = 0.0
    former_slow_inits: float = 0.0


@dataclass(frozen=True, slots=True)
class CountedTraffic:
    """A rollout of ``minutes``, begun ``offset_s`` after the start of the first; with ``interval_minutes`` the
    shift is linear. ``drift``: standard deviation of the logarithm of the error rate, which both versions share;
    ``outage``: two minutes with 30 % errors on both. ``pinned_a_minute``: healthy requests of callers that invoke
    the stable version by its number, which the former rules counted."""

    minutes: int
    requests_a_minute: float = 200.0
    share: float = 0.10
    interval_minutes: int = 0
    offset_s: float = 30.0
    stable: Shares = field(default_factory=Shares)
    canary: Shares | None = None
    drift: float = 0.0
    outage: bool = False
    pinned_a_minute: float = 0.0

    def simulate(self, rng: np.random.Generator) -> SimulatedRollout:
        requests = rng.poisson(self.requests_a_minute, self.minutes)
        on_canary = rng.binomial(requests, self._weights())
        level = self._error_level(rng)
        canary, former_canary = version_minutes(rng, on_canary, self.canary or self.stable, level)
        stable, former_stable = version_minutes(rng, requests - on_canary, self.stable, level)
        if self.pinned_a_minute:
            former_stable = [self._with_pinned(rng, minute) for minute in former_stable]
        schedule = ShiftSchedule(self.offset_s, self.share, self.interval_minutes * MINUTE_S or np.inf)
        fair = fair_minutes(self._beside(canary, stable), schedule)
        return SimulatedRollout(Rollout(fair), tuple(self._beside(former_canary, former_stable)))

    def _weights(self) -> Floats:
        """The canary's mean weight in each minute."""
        seconds = np.arange(self.minutes * MINUTE_S) + 0.5 - self.offset_s
        steps = seconds // (self.interval_minutes * MINUTE_S) if self.interval_minutes else np.zeros(len(seconds))
        weights = np.where(seconds < 0, 0.0, np.minimum(1.0, self.share * (steps + 1)))
        return np.asarray(weights.reshape(-1, MINUTE_S).mean(axis=1))

    def _error_level(self, rng: np.random.Generator) -> Floats:
        level = log_drift(rng, self.minutes, self.drift) if self.drift else np.ones(self.minutes)
        if self.outage:
            begin = rng.integers(0, self.minutes - 1)
            level[begin : begin + 2] = 0.30 / self.stable.errors
        return level

    def _with_pinned(self, rng: np.random.Generator, minute: VersionMinute) -> VersionMinute:
        healthy = int(rng.poisson(self.pinned_a_minute))
        predictions = (minute.predictions[0] + healthy, *minute.predictions[1:])
        return replace(minute, requests=minute.requests + healthy, predictions=predictions)

    def _beside(self, canary: list[VersionMinute], stable: list[VersionMinute]) -> list[Minute]:
        return [
            Minute(MINUTE_S * index, *both, young=MINUTE_S * index < self.offset_s + YOUNG_S)
            for index, both in enumerate(zip(canary, stable, strict=True))
        ]


def decile_shares(shift: float) -> tuple[float, ...]:
    """Shares of a number ``shift`` standard deviations higher, by the deciles of its usual distribution."""
    normal = NormalDist()
    above = [1.0, *(1 - normal.cdf(normal.inv_cdf(decile / 10) - shift) for decile in range(1, 10)), 0.0]
    return tuple(float(share) for share in -np.diff(above))


def log_drift(rng: np.random.Generator, minutes: int, sd: float, memory_minutes: float = 30.0) -> Floats:
    """Levels around 1 whose logarithm is an autoregressive process with standard deviation ``sd``."""
    kept = np.exp(-1 / memory_minutes)
    values = rng.normal(size=minutes) * sd
    for index in range(1, minutes):
        values[index] = kept * values[index - 1] + np.sqrt(1 - kept * kept) * values[index]
    return np.asarray(np.exp(values - sd * sd / 2))


def version_minutes(
    rng: np.random.Generator, requests: Counts, shares: Shares, error_level: Floats, errors: Counts | None = None
) -> tuple[list[VersionMinute], list[VersionMinute]]:
    """One version's minutes as the judge counts them now, and as it counted them; ``errors`` if already drawn."""
    if errors is None:
        errors = rng.binomial(requests, np.minimum(1.0, shares.errors * error_level))
    slow = rng.binomial(requests, shares.slow)
    inits = np.minimum(requests, rng.poisson(shares.inits_a_minute, len(requests)))
    columns = {
        "requests": requests,
        "errors": errors,
        "rejected": rng.binomial(requests, shares.rejected),
        "non_finite": rng.binomial(requests, shares.non_finite),
        "slow": np.minimum(requests, slow + inits),
        "inits": inits,
        "first": inits,
        "slow_inits": rng.binomial(inits, shares.slow_inits),
    }
    predictions = rng.multinomial(requests, shares.predictions)
    former_predictions = (
        predictions if shares.former_predictions is None else rng.multinomial(requests, shares.former_predictions)
    )
    former_columns = {
        **columns,
        "slow": rng.binomial(slow, min(1.0, shares.former_slow / shares.slow)),
        "slow_inits": rng.binomial(inits, shares.former_slow_inits),
    }
    return as_minutes(columns, predictions), as_minutes(former_columns, former_predictions)


def as_minutes(columns: Mapping[str, Counts], predictions: Counts) -> list[VersionMinute]:
    """`VersionMinute`s from one array of minutes a count, and predictions [minutes, bins]."""
    empty = (0,) * (PREDICTION_BINS - predictions.shape[1])
    names, values = list(columns), np.stack(list(columns.values()), axis=1).tolist()
    return [
        VersionMinute(**dict(zip(names, row, strict=True)), predictions=(*bins, *empty))
        for row, bins in zip(values, predictions.tolist(), strict=True)
    ]
