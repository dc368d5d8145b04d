"""Reports each signal in shares that a person can check against a dashboard."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from serinus.lambda_handlers.hooks.capital import Capital
from serinus.lambda_handlers.hooks.judgement import Finding
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute

#: Capital beyond which further digits mean nothing.
MOST_CAPITAL = 1e12


@dataclass(frozen=True, slots=True)
class Totals:
    """Both versions over all observed minutes."""

    canary: VersionMinute
    stable: VersionMinute


def add_up(minutes: Sequence[Minute]) -> Totals:
    return Totals(
        canary=VersionMinute.total(minute.canary for minute in minutes),
        stable=VersionMinute.total(minute.stable for minute in minutes),
    )


def report_signals(capital: Capital, totals: Totals, last: int) -> tuple[Finding, ...]:
    """Every signal's finding as of minute ``last``; before the first one, all capitals are 1."""
    return tuple(
        Finding(signal, *_shares(signal, totals), evidence=bounded_exp(float(logs[last])) if len(logs) else 1.0)
        for signal, logs in capital.signals.items()
    )


def bounded_exp(log_capital: float) -> float:
    """Capital as a number that JSON and people can read, at most `MOST_CAPITAL`."""
    return math.exp(min(log_capital, math.log(MOST_CAPITAL)))


def _shares(signal: str, totals: Totals) -> tuple[float | None, float | None]:
    canary, stable = totals.canary, totals.stable
    if signal == "slow_inits":
        return _share(canary.slow_inits, canary.inits), None
    if signal == "predictions":
        pairs = [
            (_share(count, sum(canary.predictions)), _share(other, sum(stable.predictions)))
            for count, other in zip(canary.predictions, stable.predictions, strict=True)
        ]
        return max(pairs, key=lambda pair: abs((pair[0] or 0.0) - (pair[1] or 0.0)))
    return _share(getattr(canary, signal), canary.requests), _share(getattr(stable, signal), stable.requests)


def _share(events: int, requests: int) -> float | None:
    return events / requests if requests else None
