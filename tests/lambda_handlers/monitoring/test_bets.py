"""No bet pays on average while shares lie in their bands, whatever rows do that the bet allows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from serinus.lambda_handlers.monitoring.bets import BlockBets, CountBets
from serinus.lambda_handlers.monitoring.streams import Streams

#: SciPy's binomial law overflows for shares like 1e-308.
shares = st.integers(0, 10_000).map(lambda number: number / 10_000)


def one_stream(low: float, high: float) -> Streams:
    return Streams.of([low], [high], [0], ["age"])


@given(st.tuples(shares, shares).map(sorted), shares, st.integers(1, 40))
def test_the_mean_of_a_count_bet_is_at_most_1_within_the_band(band: list[float], within: float, rows: int) -> None:
    low, high = band
    bets = CountBets(one_stream(low, high))
    counts = np.arange(rows + 1)
    payouts = bets.log_payouts(counts[:, None, None], np.full((rows + 1, 1, 1), rows), rows)
    chances = binom.pmf(counts, rows, low + within * (high - low))
    means = (chances[:, None, None] * np.exp(payouts)).sum(axis=0)
    assert (means <= 1 + 1e-9).all()


@given(
    st.tuples(shares, shares).map(sorted),
    st.lists(st.tuples(shares, st.integers(1, 300)), min_size=1, max_size=5),
    st.integers(1, 300),
)
def test_the_mean_of_a_block_bet_is_at_most_1_for_rows_that_are_all_alike(
    band: list[float], blocks: list[tuple[float, int]], usual: int
) -> None:
    low, high = band
    bets = BlockBets(one_stream(low, high))
    ways = np.array(np.meshgrid(*[[0, 1]] * len(blocks))).reshape(len(blocks), -1).T
    sizes = np.array([size for _, size in blocks])
    within = np.array([low + share * (high - low) for share, _ in blocks])
    payouts = bets.log_payouts((ways * sizes)[..., None], np.broadcast_to(sizes, ways.shape)[..., None], usual)
    chances = np.where(ways == 1, within, 1 - within).prod(axis=1)
    means = (chances[:, None, None] * np.exp(payouts)).sum(axis=0)
    assert (means <= 1 + 1e-9).all()


@pytest.mark.parametrize("bets", [CountBets, BlockBets])
def test_a_pattern_over_a_cycle_pays_nothing_if_its_mean_lies_in_the_band(
    bets: type[CountBets] | type[BlockBets],
) -> None:
    rng = np.random.default_rng(1)
    shares_of_blocks = 0.5 + 0.3 * np.sin(np.arange(24) * np.pi / 12)
    counts = rng.binomial(4, shares_of_blocks, (200_000, 24))[..., None]
    payouts = bets(one_stream(0.45, 0.5)).log_payouts(counts, np.full(counts.shape, 4), 4)
    assert (np.exp(payouts).mean(axis=0) <= 1.02).all()


def test_a_mean_of_indicators_may_be_bet_on_as_if_it_were_one() -> None:
    rng = np.random.default_rng(2)
    mean_rank = (rng.random((100_000, 10, 1)) <= np.arange(1, 10) / 10).mean(axis=-1)
    counts = mean_rank.sum(axis=1)[:, None, None]
    payouts = CountBets(one_stream(0.5, 0.5)).log_payouts(counts, np.full(counts.shape, 10), 10)
    assert (np.exp(payouts).mean(axis=0) <= 1).all()


@given(st.floats(0, 0.001), st.floats(0.999, 1), st.integers(0, 50))
@pytest.mark.parametrize("bets", [CountBets, BlockBets])
def test_no_bet_is_made_beyond_a_band_that_begins_at_0_or_ends_at_1(
    bets: type[CountBets] | type[BlockBets], low: float, high: float, count: int
) -> None:
    made = bets(one_stream(low, high))
    assert not made.possible.any()
    assert (made.log_payouts(np.array([[count]]), np.array([[50]]), 50) == 0).all()


def test_the_side_of_a_rare_share_that_has_room_is_bet_on() -> None:
    made = CountBets(one_stream(0.0, 0.01))
    assert made.possible.tolist() == [[True] * 4 + [False] * 4]
    assert (made.log_payouts(np.array([[50]]), np.array([[1000]]), 50)[0, :4] > 0).all()


def test_small_blocks_weigh_by_their_rows_and_large_ones_no_more_than_a_usual_one() -> None:
    made = BlockBets(one_stream(0.5, 0.5))

    def gain(rows: int) -> float:
        return float(np.expm1(made.log_payouts(np.array([[rows]]), np.array([[rows]]), 100)[0, 0]))

    assert gain(10) == pytest.approx(gain(100) / 10)
    assert gain(1000) == pytest.approx(gain(100))


def test_a_batch_of_endpoints_is_paid_as_each_alone() -> None:
    rng = np.random.default_rng(3)
    low = rng.random((3, 5)) / 2
    streams = Streams(low, low + 0.1, np.array([0, 0, 0, 1, 1]), ("age", "plan"))
    totals = rng.integers(0, 40, (3, 4, 1)) * np.ones((1, 1, 5), int)
    counts = rng.binomial(totals, 0.4)
    for bets in (CountBets, BlockBets):
        together = bets(streams).log_payouts(counts, totals, 20)
        alone = bets(Streams(low[1], low[1] + 0.1, streams.column, streams.columns))
        np.testing.assert_allclose(together[1], alone.log_payouts(counts[1], totals[1], 20))


def test_streams_refuse_bands_that_are_none() -> None:
    with pytest.raises(ValueError, match="0 <= low <= high <= 1"):
        one_stream(0.6, 0.5)
    with pytest.raises(ValueError, match="beyond the 1 columns"):
        Streams.of([0.1], [0.2], [1], ["age"])
    with pytest.raises(ValueError, match="differ"):
        Streams.of([0.1], [0.2, 0.3], [0], ["age"])


def test_joint_bets_pay_nothing_on_average_and_more_than_most_bets_where_all_shares_of_a_column_move() -> None:
    rng = np.random.default_rng(5)
    edges = np.linspace(0.1, 0.9, 9)
    streams = Streams.of((edges - 0.02).tolist(), (edges + 0.02).tolist(), [0] * 9, ["age"])
    made = BlockBets(streams)

    def payouts(move: float) -> np.ndarray:
        ranks = np.clip(rng.random((20_000, 6, 8, 1)) - move, 0, 1)
        return made.log_payouts((ranks <= edges).sum(axis=2), np.full((20_000, 6, 9), 8), 8)

    within = np.exp(payouts(0.02))
    assert made.column.tolist() == [0] * 10
    assert (within.mean(axis=0) <= 1 + 4 * within.std(axis=0) / np.sqrt(len(within))).all()
    moved = payouts(0.15).mean(axis=0)
    assert moved[9].max() > np.median(moved[:9].max(axis=1))


def test_there_is_no_joint_bet_on_a_single_share_or_on_rare_ones() -> None:
    made = BlockBets(Streams.of([0.3, 0, 0, 0], [0.4, 0.01, 0.01, 0.01], [0, 0, 1, 1], ["age", "plan"]))
    assert not made.possible[4:].any()
