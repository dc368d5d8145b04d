"""How often the bound on the canary's error share that a verdict reports lies under the truth at some look."""

from dataclasses import dataclass

import numpy as np
from table import Row

from judging.batch_capital import Counts
from judging.blue_green import HISTORY_MINUTES, REQUESTS_A_MINUTE, clumped
from judging.simulation import Simulation, generator
from judging.verdicts import RULES
from serinus.lambda_handlers.hooks.dispersion import overdispersion
from serinus.lambda_handlers.hooks.evidence import upper_bound

SECTION = "Coverage of the error bound"
CLUMPS = (1, 5, 10)
ROLLOUTS, MINUTES, LOOK_EVERY = 400, 60, 3
SHARE, ERRORS = 0.1, 0.03


@dataclass(frozen=True, slots=True)
class Clumped:
    """One rollout whose errors come ``size`` at a time, all of a clump on one version."""

    size: int
    number: int


def measure_coverage(simulation: Simulation) -> list[Row]:
    """One row a size of clumps."""
    rows = []
    for size in CLUMPS:
        rollouts = [Clumped(size, number) for number in range(max(20, round(ROLLOUTS * simulation.scale)))]
        before, now = 100 * np.mean(simulation.pool.map(_is_too_low, rollouts, chunksize=10), axis=0)
        limit = 100 * RULES.alpha
        rows.append(
            {
                "section": SECTION,
                "errors in clumps of": size,
                "before: too low %": round(float(before), 1),
                "now: too low %": round(float(now), 1),
                "rollouts": len(rollouts),
                "limit %": limit,
                "held": "yes" if now <= limit else "MISSED",
            }
        )
        simulation.say(f"bound, clumps of {size}: before {before:.1f} %, now {now:.1f} %")
    return rows


def _is_too_low(rollout: Clumped) -> tuple[bool, bool]:
    """Whether the bound was under the true share at any look: for independent errors, and as the verdict does."""
    rng = generator(f"clumps of {rollout.size}", rollout.number)
    history = rng.poisson(REQUESTS_A_MINUTE, HISTORY_MINUTES)
    requests = rng.poisson(REQUESTS_A_MINUTE, MINUTES)
    canary = rng.binomial(requests, SHARE)
    on_stable = [*history, *(requests - canary)]
    draw = clumped if rollout.size > 1 else _independent
    stable_errors = draw(rng, np.array(on_stable), ERRORS, rollout.size)
    stable = list(zip(on_stable, stable_errors.tolist(), strict=True))
    errors, total = np.cumsum(draw(rng, canary, ERRORS, rollout.size)), np.cumsum(canary)
    before = now = False
    for minute in range(LOOK_EVERY - 1, MINUTES, LOOK_EVERY):
        factor = overdispersion(stable[: HISTORY_MINUTES + minute + 1], 1)
        before |= upper_bound(float(errors[minute]), float(total[minute]), RULES.alpha) < ERRORS
        now |= upper_bound(errors[minute] / factor, total[minute] / factor, RULES.alpha) < ERRORS
    return before, now


def _independent(rng: np.random.Generator, requests: Counts, share: float, _clump: int) -> Counts:
    return np.asarray(rng.binomial(requests, share))
