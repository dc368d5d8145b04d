"""The judge's capital for thousands of rollouts: the hooks' functions, with all minutes' pay-outs in one call.

`accumulate` computes each pay-out by itself, which takes most of a simulation's time. The first rollout of each
simulated batch is computed both ways, and must be the same (`check_against_the_hooks`).
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.contract.signals import PREDICTION_BINS
from serinus.lambda_handlers.hooks.capital import (
    SIGNAL_STAKES,
    STAKES,
    Capital,
    accumulate,
    log_capital_of_inits,
)
from serinus.lambda_handlers.hooks.evidence import (
    LIKELY,
    WORSE,
    Block,
    Floats,
    grow,
    log_capital_against_share,
    mix,
)
from serinus.lambda_handlers.hooks.observations import Minute
from serinus.lambda_handlers.hooks.quiet_minutes import merge_quiet
from serinus.lambda_handlers.hooks.rollout_window import Rollout

Counts = npt.NDArray[np.int64]
#: Signals that are shares of all requests, each beside the stable version's.
COMPARED = ("errors", "rejected", "non_finite", "slow")
#: Of the canary's cold starts, the former judge tolerated this share of slow ones, from the first minute on.
FORMER_TOLERATED_SLOW_INITS = 0.1


def batch_accumulate(rollout: Rollout) -> Capital:
    """As `accumulate`, for a rollout whose versions serve side by side."""
    merged = merge_quiet(rollout.minutes)
    minutes = [minute for minute, _ in merged]
    tables = [[minute.block(name) for minute in minutes] for name in COMPARED]
    return _capital(minutes, tables, log_capital_of_inits(minutes), _ends(merged))


def former_accumulate(minutes: Sequence[Minute]) -> Capital:
    """The capital by the former rules: every minute compared by itself, the canary's first responses counted as
    slow, slow starts tolerated as of a version whose code is cached."""
    tables = [[_unadjusted_block(minute, name) for minute in minutes] for name in COMPARED]
    inits = log_capital_against_share([_inits(minute) for minute in minutes], FORMER_TOLERATED_SLOW_INITS)
    return _capital(minutes, tables, inits, tuple(range(1, len(minutes) + 1)))


def check_against_the_hooks(rollout: Rollout) -> None:
    """Raises AssertionError unless `batch_accumulate` is what `accumulate` computes."""
    expected, actual = accumulate(rollout), batch_accumulate(rollout)
    assert expected.ends == actual.ends
    np.testing.assert_allclose(actual.total, expected.total, rtol=1e-9, atol=1e-8)


def batch_payouts(blocks: Counts, tolerated_odds: Floats, worse: Floats = WORSE) -> Floats:
    """As `log_payouts` of each of ``blocks`` [blocks, 4] at its tolerated odds [blocks]: [blocks, bets]."""
    canary, canary_events, stable, stable_events = blocks.T
    events = canary_events + stable_events
    least, most = np.maximum(0, events - stable), np.minimum(canary, events)
    widths = most - least + 1
    starts = np.cumsum(widths) - widths
    block = np.repeat(np.arange(len(blocks)), widths)
    counts = np.arange(len(block)) - (starts - least)[block]
    factorials = _log_factorials(int(blocks.max(initial=1)).bit_length())
    rest = events[block] - counts
    # The versions' own factorials cancel: they are the same in every count of a block.
    weights = -(
        factorials[counts]
        + factorials[canary[block] - counts]
        + factorials[rest]
        + factorials[stable[block] - rest]
    )
    normal = _log_sums(weights + counts * np.log(tolerated_odds)[block], starts, block)
    payouts = np.empty((len(blocks), len(worse)))
    for bet, odds in enumerate(worse):
        suspected = _log_sums(weights + counts * np.log(tolerated_odds * odds)[block], starts, block)
        payouts[:, bet] = canary_events * np.log(odds) - (suspected - normal)
    return payouts


def _capital(
    minutes: Sequence[Minute], tables: Sequence[Sequence[Block]], slow_inits: Floats, ends: tuple[int, ...]
) -> Capital:
    bins = [
        [minute.prediction_block(index) for minute in minutes]
        for index in range(PREDICTION_BINS)
        if any(minute.canary.predictions[index] or minute.stable.predictions[index] for minute in minutes)
    ]
    fewer = [[block.without_events() for block in blocks] for blocks in bins]
    odds = [SIGNAL_STAKES[name].tolerated_odds for name in COMPARED]
    odds += [SIGNAL_STAKES["predictions"].tolerated_odds] * (2 * len(bins))
    capitals = _log_capitals([*tables, *bins, *fewer], odds, len(minutes))
    signals = dict(zip(COMPARED, capitals, strict=False))
    both_ways = capitals[len(COMPARED) :].reshape(2, len(bins), len(minutes))
    by_bin = np.zeros((PREDICTION_BINS, len(minutes)))  # a bin that stays empty neither wins nor loses
    by_bin[: len(bins)] = np.logaddexp(both_ways[0], both_ways[1]) - np.log(2)
    signals["predictions"] = mix(by_bin.T, np.full(PREDICTION_BINS, 1 / PREDICTION_BINS))
    signals["slow_inits"] = slow_inits
    total = mix(np.stack([signals[name] for name in SIGNAL_STAKES], axis=-1), STAKES)
    return Capital(signals, total, ends)


def _log_capitals(tables: Sequence[Sequence[Block]], odds: Sequence[float], minutes: int) -> Floats:
    """[tables, minutes]."""
    rows = [
        (block.canary, block.canary_events, block.stable, block.stable_events)
        for blocks in tables
        for block in blocks
    ]
    payouts = batch_payouts(np.reshape(np.array(rows, dtype=np.int64), (-1, 4)), np.repeat(odds, minutes))
    return grow(payouts.reshape(len(tables), minutes, len(WORSE)), LIKELY)


def _ends(merged: Sequence[tuple[Minute, int]]) -> tuple[int, ...]:
    return tuple(end for _, end in merged)


def _inits(minute: Minute) -> tuple[int, int]:
    return minute.canary.inits, minute.canary.slow_inits


def _unadjusted_block(minute: Minute, event: str) -> Block:
    canary, stable = minute.canary, minute.stable
    return Block(canary.requests, getattr(canary, event), stable.requests, getattr(stable, event))


def _log_sums(values: Floats, starts: Counts, block: Counts) -> Floats:
    """ln of the sum of exponentials over each block's part of ``values``."""
    top = np.maximum.reduceat(values, starts)
    return np.asarray(np.log(np.add.reduceat(np.exp(values - top[block]), starts)) + top)


@lru_cache(maxsize=32)
def _log_factorials(bits: int) -> Floats:
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, 2**bits + 1)))))
