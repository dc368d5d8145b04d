"""Evidence grows by no more than one a look without drift, names columns by rank, and ends with the drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from serinus.lambda_handlers.monitoring.bets import BlockBets, CountBets
from serinus.lambda_handlers.monitoring.detector import BEYOND_ALARM, Detector, named_columns
from serinus.lambda_handlers.monitoring.streams import Streams

STREAMS = Streams.of([0.28, 0.0, 0.48, 0.08], [0.32, 0.01, 0.52, 0.12], [0, 0, 1, 1], ["age", "plan"])
#: At the edges: the worst that a band allows.
AT_EDGES = np.array([0.32, 0.01, 0.48, 0.12])


BETS = CountBets(STREAMS)


def many(number: int) -> Streams:
    low, high = (np.broadcast_to(edge, (number, 4)) for edge in (STREAMS.low, STREAMS.high))
    return Streams(low, high, STREAMS.column, STREAMS.columns)


def test_evidence_less_the_number_of_looks_does_not_grow_on_average() -> None:
    rng = np.random.default_rng(1)
    streams = many(40_000)
    bets = CountBets(streams)
    detector = Detector(bets, streams, 1e12)
    for number in range(1, 11):
        detector.enter()
        counts = rng.binomial(60, AT_EDGES, (40_000, 4))[:, None]
        detector.add(bets.log_payouts(counts, np.full(counts.shape, 60), 60))
        total = np.exp(detector.look().total)
        assert total.mean() <= number + 4 * total.std() / 200
    assert total.mean() > 1, "the trial could not have failed"


def test_rounding_adds_no_evidence_and_what_is_written_is_what_goes_on() -> None:
    detector = Detector(BETS, STREAMS, 1000)
    detector.enter()
    detector.add(np.random.default_rng(2).normal(0, 1, (4, 8)))
    before = detector.log_r
    detector.round()
    assert (detector.log_r <= before).all()
    again = Detector(BETS, STREAMS, 1000)
    again.restore(detector.to_json())
    np.testing.assert_array_equal(again.log_r, detector.log_r)
    with pytest.raises(ValueError, match="27 values of evidence for 28 bets"):
        again.restore(detector.to_json()[1:])
    with pytest.raises(ValueError, match="one endpoint"):
        Detector(CountBets(many(2)), many(2), 1000).to_json()


def test_what_no_bet_has_seen_is_nothing_also_when_it_is_read_again() -> None:
    detector = Detector(BETS, STREAMS, 1000)
    again = Detector(BETS, STREAMS, 1000)
    again.restore(detector.to_json())
    assert (again.log_r == -np.inf).all()
    assert again.look().total == -np.inf
    assert not again.look().alarm


def test_the_order_of_columns_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    payouts = rng.normal(0.5, 2, (4, 8))
    order = np.array([2, 3, 0, 1])
    turned = Streams(STREAMS.low[order], STREAMS.high[order], np.array([0, 0, 1, 1]), ("plan", "age"))
    evidence = []
    for streams, paid in ((STREAMS, payouts), (turned, payouts[order])):
        detector = Detector(CountBets(streams), streams, 5.0)
        detector.enter()
        detector.add(np.where(detector.possible, paid, 0.0))
        evidence.append(detector.look())
    assert evidence[0].total == pytest.approx(evidence[1].total)
    np.testing.assert_allclose(evidence[0].by_column, evidence[1].by_column[::-1])
    np.testing.assert_array_equal(evidence[0].named, evidence[1].named[::-1])
    assert evidence[0].suspect == 1 - evidence[1].suspect


def test_an_alarm_ends_soon_after_the_drift_does() -> None:
    detector = Detector(BETS, STREAMS, 1000)

    def hour(counts: list[int]) -> bool:
        detector.enter()
        detector.add(BETS.log_payouts(np.array([counts]), np.full((1, 4), 1000), 1000))
        return bool(detector.look().alarm)

    for _ in range(500):
        alarm = hour([300, 60, 500, 100])
    assert alarm
    assert detector.look().total == pytest.approx(np.log(1000) + BEYOND_ALARM, abs=0.01)
    assert not [hour([300, 5, 500, 100]) for _ in range(12)][-1]


def test_evidence_that_is_overwhelming_hides_no_other_columns() -> None:
    detector = Detector(BETS, STREAMS, 1000)
    detector.enter()
    for _ in range(20):
        detector.add(BETS.log_payouts(np.array([[300, 1000, 700, 100]]), np.full((1, 4), 1000), 1000))
    assert detector.log_r.max() > 2000
    assert detector.look().named.all()


def test_the_stream_and_the_column_with_the_most_evidence_are_known() -> None:
    detector = Detector(BETS, STREAMS, 1000)
    detector.enter()
    detector.add(BETS.log_payouts(np.array([[300, 200, 500, 100]]), np.full((1, 4), 1000), 1000))
    evidence = detector.look()
    assert evidence.suspect == 0
    assert evidence.stream[0] == 1
    assert evidence.named.tolist() == [True, False]


@given(arrays(np.float64, 6, elements=st.floats(-5, 15)), st.floats(0.1, 8))
def test_columns_are_named_by_the_rule_of_benjamini_and_hochberg(by_column: np.ndarray, threshold: float) -> None:
    ranked = sorted(by_column.tolist(), reverse=True)
    counts = [k for k in range(1, 7) if ranked[k - 1] >= threshold + np.log(6 / k)]
    named = named_columns(by_column, threshold)
    assert named.sum() >= max(counts, default=0)
    assert set(by_column[named].tolist()) == set(ranked[: max(counts, default=0)])


def test_an_alarm_may_name_nobody() -> None:
    by_column = np.log([900.0, 1400.0])
    assert not named_columns(by_column, np.log(1000)).any()
    assert np.log(np.exp(by_column).mean()) >= np.log(1000)


def test_a_column_has_half_of_its_evidence_in_joint_bets_where_it_has_any() -> None:
    bets = BlockBets(STREAMS)
    detector = Detector(bets, STREAMS, 1000)
    detector.enter()
    assert detector.look().by_column.tolist() == pytest.approx([0, 0])
    payouts = np.zeros(bets.possible.shape)
    payouts[5] = np.log(9)  # "plan" alone has two shares that may lie above and below their bands
    detector.add(np.where(bets.possible, payouts, 0.0))
    assert np.exp(detector.look().by_column).tolist() == pytest.approx([1, 5], rel=0.01)
