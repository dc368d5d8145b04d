"""The judge's capital, split over the signals of a canary and bet on each being worse than tolerated.

The signals' capitals add up to an e-process, so one threshold, 1/alpha, holds for all of them together: no signal
can raise a false alarm beyond its stake, and one loud signal is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serinus.lambda_handlers.contract.signals import PREDICTION_BINS
from serinus.lambda_handlers.hooks.evidence import (
    Floats,
    log_capital,
    log_capital_against_share,
    log_capital_both_ways,
    mix,
)
from serinus.lambda_handlers.hooks.observations import Minute


@dataclass(frozen=True, slots=True)
class SignalStake:
    """A signal's share of the capital, and how many times the stable's odds of the event are tolerated."""

    stake: float
    tolerated_odds: float


#: Of errors no more than the stable's are tolerated, though the bets (`evidence.WORSE`) lose on less than a fifth
#: more. A new model is released because it predicts otherwise: only threefold odds of a prediction are a shift.
#: Slow answers are tolerated to double: a canary's environments are young, their first requests not their best.
SIGNAL_STAKES = {
    "errors": SignalStake(0.55, 1.0),
    "rejected": SignalStake(0.12, 1.25),
    "non_finite": SignalStake(0.12, 1.25),
    "slow": SignalStake(0.10, 2.0),
    "predictions": SignalStake(0.07, 3.0),
    "slow_inits": SignalStake(0.04, 1.0),
}
STAKES = np.array([signal.stake for signal in SIGNAL_STAKES.values()])

#: Share of the canary's cold starts that may take longer than twice the stable's 90th percentile. One in ten
#: would exceed the percentile itself.
TOLERATED_SLOW_INITS = 0.1


@dataclass(frozen=True, slots=True)
class Capital:
    """Logarithms of capital after each minute: by signal [minutes], each as if it had started as 1, and in total
    [minutes]."""

    signals: dict[str, Floats]
    total: Floats

    def first_at(self, log_threshold: float, canary_requests: Sequence[int], minimum_requests: int) -> int | None:
        """The first minute by whose end the capital reached the threshold and the canary ``minimum_requests``."""
        enough = np.cumsum(canary_requests) >= minimum_requests
        reached = np.flatnonzero((self.total >= log_threshold) & enough)
        return int(reached[0]) if len(reached) else None


def accumulate(minutes: Sequence[Minute]) -> Capital:
    """The capital after each of ``minutes``, at least one."""
    signals = {name: _log_capital_of(name, minutes, stake.tolerated_odds) for name, stake in SIGNAL_STAKES.items()}
    return Capital(signals=signals, total=mix(np.stack(list(signals.values()), axis=-1), STAKES))


def _log_capital_of(signal: str, minutes: Sequence[Minute], tolerated_odds: float) -> Floats:
    if signal == "slow_inits":
        inits = [(minute.canary.inits, minute.canary.slow_inits) for minute in minutes]
        return log_capital_against_share(inits, TOLERATED_SLOW_INITS)
    if signal == "predictions":
        bins = [
            log_capital_both_ways([minute.prediction_block(index) for minute in minutes], tolerated_odds)
            for index in range(PREDICTION_BINS)
        ]
        return mix(np.stack(bins, axis=-1), np.full(PREDICTION_BINS, 1 / PREDICTION_BINS))
    return log_capital([minute.block(signal) for minute in minutes], tolerated_odds)
