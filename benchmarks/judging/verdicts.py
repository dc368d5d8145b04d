"""When the judge, as it is and as it was, would stop a simulated rollout."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from judging.batch_capital import batch_accumulate, former_accumulate
from serinus.lambda_handlers.hooks.capital import SIGNAL_STAKES, Capital, accumulate
from serinus.lambda_handlers.hooks.metrics import MINUTE_S
from serinus.lambda_handlers.hooks.observations import Minute
from serinus.lambda_handlers.hooks.rollout_window import Rollout
from serinus.lambda_handlers.hooks.shift_schedule import ShiftSchedule
from serinus.lambda_handlers.hooks.verdict import Rules

RULES = Rules()
LOG_THRESHOLD = math.log(1 / RULES.alpha)
#: The former default of `minimum_requests`.
FORMER_MINIMUM_REQUESTS = 30


@dataclass(frozen=True, slots=True)
class Stop:
    """``minute``: number of the last minute that was needed, from 0; ``requests`` of the canary until then, in the
    minutes that are compared. Both infinite if nothing stopped the rollout. ``signal``: the one that won most."""

    minute: float = math.inf
    requests: float = math.inf
    signal: str = ""

    @property
    def stopped(self) -> bool:
        return math.isfinite(self.minute)


@dataclass(frozen=True, slots=True)
class SimulatedRollout:
    """What the judge reads of a rollout, and what its former rules read of the same traffic."""

    rollout: Rollout
    former_minutes: tuple[Minute, ...]

    def stops(self) -> tuple[Stop, Stop]:
        """By the former rules, and now."""
        return stop_formerly(self.former_minutes), stop_now(self.rollout)


def fair_minutes(minutes: Sequence[Minute], schedule: ShiftSchedule) -> tuple[Minute, ...]:
    """The minutes that the judge compares, by the hooks' own rule."""
    steps = [schedule.fair_step(minute) for minute in minutes]
    return tuple(
        replace(minute, step=step, share=schedule.share_at(step))
        for minute, step in zip(minutes, steps, strict=True)
        if step is not None
    )


def stop_now(rollout: Rollout) -> Stop:
    """By the hooks' rules and `Rules`' defaults."""
    capital = accumulate(rollout) if rollout.switched else batch_accumulate(rollout)
    return _first_stop(capital, rollout.minutes, RULES.minimum_requests)


def stop_formerly(minutes: Sequence[Minute]) -> Stop:
    """By the rules before minutes of a step, first responses, bins and clumps were seen to."""
    return _first_stop(former_accumulate(minutes), minutes, FORMER_MINIMUM_REQUESTS)


def _first_stop(capital: Capital, minutes: Sequence[Minute], minimum_requests: int) -> Stop:
    first = capital.first_at(LOG_THRESHOLD, minutes, minimum_requests) if capital.ends else None
    if first is None:
        return Stop()
    compared = minutes[: capital.ends[first]]
    gains = {name: capital.signals[name][first] + math.log(stake.stake) for name, stake in SIGNAL_STAKES.items()}
    return Stop(
        compared[-1].start // MINUTE_S,
        sum(minute.canary.requests for minute in compared),
        max(gains, key=lambda name: gains[name]),
    )
