"""`scripts/bench judge` computes what the hooks compute, and simulates traffic that the judge can read."""

import sys
from pathlib import Path

import numpy as np
import pytest

from serinus.lambda_handlers.hooks.evidence import log_payouts

# Last: a benchmark may bear the name of what it measures.
sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from judging.batch_capital import batch_payouts, check_against_the_hooks
from judging.blue_green import BlueGreenTraffic
from judging.counted_traffic import CountedTraffic, Shares
from judging.request_traffic import RequestTraffic
from judging.verdicts import stop_formerly, stop_now

from serinus.lambda_handlers.hooks.evidence import Block


def test_pay_outs_of_many_blocks_are_those_of_each():
    blocks = np.array([[20, 3, 180, 2], [0, 0, 5, 1], [5, 5, 0, 0], [0, 0, 0, 0], [150, 90, 150, 88]])
    odds = np.array([1.0, 1.0, 2.0, 3.0, 1.25])
    expected = [log_payouts(Block(*map(int, row)), tolerated) for row, tolerated in zip(blocks, odds, strict=True)]
    np.testing.assert_allclose(batch_payouts(blocks, odds), expected, atol=1e-9)


@pytest.mark.parametrize(
    "traffic",
    [
        CountedTraffic(20),
        CountedTraffic(20, share=0.2, interval_minutes=5, pinned_a_minute=20),
        CountedTraffic(20, requests_a_minute=3, canary=Shares(errors=0.5, inits_a_minute=1, slow_inits=0.5)),
        RequestTraffic(12, burst=5, cold_ms=200, outage_s=(100, 120), history_minutes=10),
    ],
    ids=["canary", "linear", "quiet", "requests"],
)
def test_the_fast_way_is_the_hooks_way(traffic):
    simulated = traffic.simulate(np.random.default_rng(7))
    assert simulated.rollout.minutes
    assert len(simulated.former_minutes) == traffic.minutes
    check_against_the_hooks(simulated.rollout)


def test_a_canary_that_fails_every_request_is_stopped_at_once():
    traffic = CountedTraffic(10, offset_s=0, canary=Shares(errors=1.0))
    simulated = traffic.simulate(np.random.default_rng(7))
    assert stop_now(simulated.rollout).minute <= 1
    assert stop_now(simulated.rollout).signal == "errors"
    assert stop_formerly(simulated.former_minutes).stopped


def test_a_switch_compares_with_the_minutes_before_it():
    rollout = BlueGreenTraffic("independent", 10).simulate(np.random.default_rng(7)).rollout
    last_four = rollout.history[-4:]
    assert rollout.switched
    assert rollout.minutes[0].stable.requests == sum(minute.requests for minute in last_four)
