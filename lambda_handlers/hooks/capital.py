"""The judge's capital, split over the signals of a canary and bet on each being worse than tolerated.

The signals' capitals add up to an e-process, so one threshold, 1/alpha, holds for all of them together: no signal
can raise a false alarm beyond its stake, and one loud signal is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serinus.lambda_handlers.contract.signals import PREDICTION_BINS
from serinus.lambda_handlers.hooks.dispersion import overdispersion, thin
from serinus.lambda_handlers.hooks.evidence import (
    Block,
    Floats,
    log_capital,
    log_capital_against_share,
    log_capital_both_ways,
    log_capital_without_loudest,
    mix,
)
from serinus.lambda_handlers.hooks.observations import Minute
from serinus.lambda_handlers.hooks.quiet_minutes import merge_quiet
from serinus.lambda_handlers.hooks.rollout_window import Rollout


@dataclass(frozen=True, slots=True)
class SignalStake:
    """A signal's share of the capital, and how many times the stable's odds of the event are tolerated."""

    stake: float
    tolerated_odds: float


#: Of errors no more than the stable's are tolerated, though the bets (`evidence.WORSE`) lose on less than a fifth
#: more. A new model is released because it predicts otherwise: only threefold odds of a prediction are a shift.
#: Slow responses are tolerated to double: a canary's environments are young, their first requests not their best.
SIGNAL_STAKES = {
    "errors": SignalStake(0.62, 1.0),
    "rejected": SignalStake(0.09, 1.25),
    "non_finite": SignalStake(0.09, 1.25),
    "slow": SignalStake(0.10, 2.0),
    "predictions": SignalStake(0.06, 3.0),
    "slow_inits": SignalStake(0.04, 1.0),
}
STAKES = np.array([signal.stake for signal in SIGNAL_STAKES.values()])

#: Share of the canary's cold starts that may take longer than twice the stable's 90th percentile, in minutes in
#: which the stable version had none; and how many times its odds are tolerated in others.
TOLERATED_SLOW_INITS = 0.3
TOLERATED_INIT_ODDS = 4.0
MOST_INITS = 2
#: Minutes over which the stable version's counts are added up to measure how much they vary.
DISPERSION_MINUTES = 30


@dataclass(frozen=True, slots=True)
class Capital:
    """Logarithms of capital after each comparison, of a minute or of merged ones: by signal [comparisons], each as
    if it had started as 1, and in total [comparisons]. ``ends``: the number of minutes up to the end of each."""

    signals: dict[str, Floats]
    total: Floats
    ends: tuple[int, ...]

    def first_at(self, log_threshold: float, minutes: Sequence[Minute], minimum_requests: int) -> int | None:
        """The first comparison by whose end the capital reached the threshold and the canary
        ``minimum_requests``."""
        requests = np.cumsum([minute.canary.requests for minute in minutes])
        enough = np.array([requests[end - 1] >= minimum_requests for end in self.ends], dtype=bool)
        reached = np.flatnonzero((self.total >= log_threshold) & enough)
        return int(reached[0]) if len(reached) else None


def accumulate(rollout: Rollout) -> Capital:
    """The capital after each comparison that the rollout's minutes allow."""
    merged = merge_quiet(rollout.minutes)
    minutes = [minute for minute, _ in merged]
    signals = {
        name: _log_capital_of(name, minutes, stake.tolerated_odds, rollout)
        for name, stake in SIGNAL_STAKES.items()
    }
    total = mix(np.stack(list(signals.values()), axis=-1), STAKES)
    return Capital(signals, total, tuple(end for _, end in merged))


def _log_capital_of(signal: str, minutes: Sequence[Minute], tolerated_odds: float, rollout: Rollout) -> Floats:
    if signal == "slow_inits":
        return log_capital_of_inits(minutes)
    grow = log_capital_without_loudest if rollout.switched else log_capital
    if signal == "predictions":
        bins = []
        for index in range(PREDICTION_BINS):
            blocks = [minute.prediction_block(index) for minute in minutes]
            past = [(sum(before.predictions), before.predictions[index]) for before in rollout.history]
            bins.append(log_capital_both_ways(_independent(blocks, past, rollout), tolerated_odds, grow))
        return mix(np.stack(bins, axis=-1), np.full(PREDICTION_BINS, 1 / PREDICTION_BINS))
    past = [(max(before.requests, before.invocations), getattr(before, signal)) for before in rollout.history]
    return grow(_independent([minute.block(signal) for minute in minutes], past, rollout), tolerated_odds)


def log_capital_of_inits(minutes: Sequence[Minute]) -> Floats:
    """Half of the capital is on cold starts of both versions in one minute, half on those of the canary alone, of
    which a minute counts as `MOST_INITS` at most: what slows one start often slows those beside it."""
    none = Block(0, 0, 0, 0)
    beside = [none if minute.young else minute.init_block() for minute in minutes]
    alone = [_bounded(block) if not block.stable else (0, 0) for block in beside]
    both = np.stack(
        [log_capital(beside, TOLERATED_INIT_ODDS), log_capital_against_share(alone, TOLERATED_SLOW_INITS)], axis=-1
    )
    return mix(both, np.array([0.5, 0.5]))


def _bounded(inits: Block) -> tuple[int, int]:
    if inits.canary <= MOST_INITS:
        return inits.canary, inits.canary_events
    return MOST_INITS, MOST_INITS * inits.canary_events // inits.canary


def _independent(blocks: Sequence[Block], past: Sequence[tuple[int, int]], rollout: Rollout) -> Sequence[Block]:
    """Blocks as if events were independent: side by side they need not be."""
    return thin(blocks, overdispersion(past, DISPERSION_MINUTES)) if rollout.switched else blocks
