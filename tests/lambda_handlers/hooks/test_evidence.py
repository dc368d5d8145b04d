"""The bets are fair under every tolerated odds ratio, at every look, and pay off when the canary is worse."""

import math

import numpy as np
import pytest

from serinus.lambda_handlers.hooks.capital import SIGNAL_STAKES
from serinus.lambda_handlers.hooks.evidence import (
    WORSE,
    Block,
    log_capital,
    log_capital_against_share,
    log_capital_both_ways,
    log_payouts,
    upper_bound,
)


def chances(canary: int, stable: int, events: int, odds: float) -> np.ndarray:
    """Fisher's noncentral hypergeometric law of the canary's events, by its definition."""
    weights = [
        math.comb(canary, count) * math.comb(stable, events - count) * odds**count
        if events - count <= stable
        else 0
        for count in range(min(canary, events) + 1)
    ]
    return np.array(weights, dtype=float) / sum(weights)


@pytest.mark.parametrize(("canary", "stable", "events"), [(20, 180, 3), (20, 180, 40), (50, 50, 9), (7, 3, 5)])
@pytest.mark.parametrize("tolerated", [1.0, 1.25, 3.0])
def test_a_minute_pays_back_its_stake_on_average_at_the_tolerated_odds(canary, stable, events, tolerated):
    law = chances(canary, stable, events, tolerated)
    expected = sum(
        chance * np.exp(log_payouts(Block(canary, count, stable, events - count), tolerated))
        for count, chance in enumerate(law)
        if chance
    )
    assert expected == pytest.approx(np.ones(len(WORSE)))


@pytest.mark.parametrize("odds", [0.1, 0.5, 1.0])
def test_a_minute_loses_on_average_below_the_tolerated_odds(odds):
    law = chances(20, 180, 12, odds)
    expected = sum(
        chance * np.exp(log_payouts(Block(20, count, 180, 12 - count), 1.25)) for count, chance in enumerate(law)
    )
    assert (expected < 1).all()


@pytest.mark.parametrize("block", [Block(0, 0, 50, 3), Block(50, 3, 0, 0), Block(9, 0, 9, 0), Block(9, 9, 9, 9)])
def test_a_minute_that_cannot_tell_the_versions_apart_pays_nothing(block):
    assert log_payouts(block, 1.25) == pytest.approx(np.zeros(len(WORSE)))


def test_events_beyond_requests_are_refused():
    with pytest.raises(ValueError, match="between 0 and the requests"):
        Block(3, 4, 10, 0)


def blocks(rng, minutes, canary_share, stable_share, weight=0.1, requests=200):
    found = []
    for _ in range(minutes):
        canary = int(rng.binomial(requests, weight))
        stable = requests - canary
        found.append(
            Block(canary, int(rng.binomial(canary, canary_share)), stable, int(rng.binomial(stable, stable_share)))
        )
    return found


def test_looking_every_minute_rarely_reaches_the_threshold_without_a_difference():
    rng = np.random.default_rng(11)
    crossed = [log_capital(blocks(rng, 60, 0.02, 0.02), 1.0).max() >= math.log(20) for _ in range(400)]
    assert np.mean(crossed) <= 0.05


def test_error_shares_that_wander_together_are_no_evidence():
    rng = np.random.default_rng(12)
    crossed = 0
    for _ in range(200):
        wandering = [blocks(rng, 1, share, share)[0] for share in rng.choice([0.001, 0.02, 0.3], 60)]
        crossed += log_capital(wandering, 1.0).max() >= math.log(20)
    assert crossed / 200 <= 0.05


def test_five_times_the_errors_are_found_within_three_hundred_canary_requests():
    rng = np.random.default_rng(13)
    needed = []
    for _ in range(100):
        minutes = blocks(rng, 60, 0.05, 0.01)
        capital = log_capital(minutes, SIGNAL_STAKES["errors"].tolerated_odds)
        at = int(np.argmax(capital >= math.log(20 / SIGNAL_STAKES["errors"].stake)))
        needed.append(sum(block.canary for block in minutes[: at + 1]))
    assert np.median(needed) <= 180


def test_trouble_that_starts_late_is_found_almost_as_soon_as_early_trouble():
    healthy = [Block(20, 0, 180, 2)] * 60
    sick = [Block(20, 4, 180, 2)] * 20
    late = log_capital([*healthy, *sick], 1.25)
    early = log_capital(sick, 1.25)
    minutes_early = int(np.argmax(early >= math.log(20)))
    minutes_late = int(np.argmax(late >= math.log(20))) - len(healthy)
    assert 0 <= minutes_late - minutes_early <= 4


def test_betting_both_ways_finds_events_that_vanish():
    vanished = [Block(20, 0, 180, 90)] * 4
    assert log_capital_both_ways(vanished, 3.0)[-1] > math.log(100)
    assert log_capital(vanished, 3.0)[-1] < 0


def test_a_share_above_the_tolerated_one_is_found_without_a_stable_version():
    assert log_capital_against_share([(1, 1)] * 4, 0.1)[-1] > math.log(100)
    assert log_capital_against_share([(1, 0)] * 40, 0.1)[-1] < 0


def test_no_minutes_are_no_evidence():
    assert len(log_capital([], 1.0)) == 0
    assert len(log_capital_against_share([], 0.1)) == 0


def test_the_upper_bound_holds_at_every_look():
    rng = np.random.default_rng(14)
    missed = 0
    for _ in range(200):
        events = np.cumsum(rng.random(400) < 0.05)
        missed += any(upper_bound(int(events[n - 1]), n, 0.05) < 0.05 for n in range(10, 401, 10))
    assert missed / 200 <= 0.05


def test_the_upper_bound_tightens_with_requests_and_is_one_without():
    assert upper_bound(0, 0, 0.05) == 1.0
    assert upper_bound(5, 5, 0.05) == 1.0
    assert 0.03 < upper_bound(0, 150, 0.05) < 0.05
    assert upper_bound(10, 1000, 0.05) == pytest.approx(0.026, abs=0.001)
