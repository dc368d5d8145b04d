"""The bands of a baseline's streams hold what they say, for lucky samples, ties and chosen categories too."""

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from serinus.modelpack.bands import (
    RARE_TOLERANCE,
    TOLERANCE,
    Band,
    category_bands,
    decile_ranks,
    level_of,
    number_bands,
    share_band,
    unseen_band,
)

LEVEL = level_of(360)


@pytest.mark.parametrize("count", [0, 1, 37, 499, 500])
def test_a_share_has_clopper_and_pearsons_bounds(count: int) -> None:
    band = share_band([count], 500, 0.005, 0.0)
    expected = binomtest(count, 500).proportion_ci(0.99, method="exact")
    assert (band.low[0], band.high[0]) == pytest.approx((expected.low, expected.high))


def test_a_band_is_at_least_the_tolerance_wide_and_lies_within_0_and_1() -> None:
    band = share_band([0, 50_000, 100_000], 100_000, LEVEL, TOLERANCE)
    assert band.low.tolist() == pytest.approx([0, 0.48, 0.98])
    assert band.high.tolist() == pytest.approx([0.02, 0.52, 1])


def test_bands_of_5000_rows_are_little_wider_than_the_tolerance() -> None:
    edges, mean_rank = number_bands(decile_ranks(5000), 5000, LEVEL)
    assert (edges.high - edges.low).max() < 0.062
    assert mean_rank.high - mean_rank.low < 0.046


def test_bounds_of_many_baselines_are_those_of_each() -> None:
    counts = np.sort(np.random.default_rng(1).integers(0, 1000, (4, 3, 9)), axis=-1)
    edges, mean_rank = number_bands(counts, 1000, LEVEL)
    alone = number_bands(counts[2, 1], 1000, LEVEL)
    np.testing.assert_array_equal(edges.low[2, 1], alone[0].low)
    np.testing.assert_array_equal(mean_rank.high[2, 1], alone[1].high)
    several, rest = category_bands(counts, np.zeros((4, 3)), unseen_band(0, 5000, LEVEL), 10_000, LEVEL)
    assert several.low.shape == (4, 3, 9)
    assert rest.high.shape == (4, 3)


def test_few_rows_have_few_edges_and_a_constant_column_has_a_band() -> None:
    assert decile_ranks(5).tolist() == [1, 2, 3, 4]
    edges, _ = number_bands([5], 5, 0.01)
    assert edges.low[0] < 0.5
    assert edges.high[0] == 1
    no_edges, mean_rank = number_bands(np.zeros((2, 0)), 100, 0.01)
    assert no_edges.low.shape == (2, 0)
    assert mean_rank.low.shape == (2,)


#: Large, so that misses are frequent enough to be counted.
TRIAL_LEVEL = 0.01
TRIALS, ROWS = 3000, 400


@pytest.mark.parametrize("digits", [None, 1, 0])
def test_edges_chosen_from_the_sample_keep_their_level_with_ties_and_without(digits: int | None) -> None:
    rng = np.random.default_rng(7)
    values = rng.standard_normal((TRIALS, ROWS))
    values = values if digits is None else np.round(values, digits)
    edges = np.sort(values, axis=1)[:, decile_ranks(ROWS) - 1]
    true = norm.cdf(edges if digits is None else edges + 0.5 * 10.0**-digits)
    counts = (values[:, :, None] <= edges[:, None, :]).sum(axis=1)
    bands, mean_rank = number_bands(counts, ROWS, TRIAL_LEVEL)
    # The whole column has 20 sides; a stream of its own may miss with its level and a simulation's error.
    assert _missed(bands, true).any(axis=1).mean() <= 20 * TRIAL_LEVEL
    assert _missed(mean_rank, true.mean(axis=1)).mean() <= 2 * TRIAL_LEVEL
    assert _missed(bands, true).any() or digits == 0, "the trial could not have failed"


def test_missing_values_are_of_all_values() -> None:
    rng = np.random.default_rng(8)
    values = np.where(rng.random((1000, ROWS)) < 0.3, np.nan, rng.random((1000, ROWS)))
    edges = np.sort(values, axis=1)[:, decile_ranks(ROWS) - 1]
    present = ~np.isnan(edges)
    counts = (values[:, :, None] <= edges[:, None, :]).sum(axis=1)
    missed = np.zeros(1000, bool)
    for row in range(1000):
        bands, mean_rank = number_bands(counts[row, present[row]], ROWS, TRIAL_LEVEL)
        true = 0.7 * edges[row, present[row]]
        missed[row] = _missed(bands, true).any() or _missed(mean_rank, true.mean()).any()
    assert missed.mean() <= 20 * TRIAL_LEVEL


@pytest.mark.parametrize("categories", [12, 60, 2000])
def test_categories_chosen_for_their_luck_keep_their_level_and_so_does_the_rest(categories: int) -> None:
    rng = np.random.default_rng(9)
    shares = [0.1, *np.full(categories, 0.9 / categories)]
    missing, counts = np.split(rng.multinomial(ROWS, shares, TRIALS), [1], axis=1)
    top = np.argsort(-counts, axis=1)[:, :10]
    unseen = 0.9 * (counts == 0).mean(axis=1)
    bands, rest = category_bands(
        np.take_along_axis(counts, top, axis=1), missing[:, 0], Band(unseen, unseen), ROWS, TRIAL_LEVEL
    )
    assert _missed(bands, np.full(top.shape, 0.9 / categories)).any(axis=1).mean() <= 20 * TRIAL_LEVEL
    assert _missed(rest, 0.9 - 9 / categories - unseen).mean() <= 2 * TRIAL_LEVEL


@pytest.mark.parametrize("categories", [3, 300, 5000])
def test_what_a_sample_lacks_is_bounded_although_it_has_seen_all_it_has(categories: int) -> None:
    rng = np.random.default_rng(10)
    high, true = [], []
    for _ in range(500):
        sample = rng.integers(0, categories, ROWS)
        first, later = sample[: ROWS // 2], sample[ROWS // 2 :]
        high.append(float(unseen_band(np.isin(later, first, invert=True).sum(), len(later), TRIAL_LEVEL).high))
        true.append(1 - len(np.unique(sample)) / categories)
    assert np.mean(np.array(true) > np.array(high)) <= TRIAL_LEVEL
    assert min(high) >= RARE_TOLERANCE


@pytest.mark.parametrize("law", ["even", "rounded"])
def test_values_beyond_the_samples_range_keep_their_level(law: str) -> None:
    rng = np.random.default_rng(11)
    values = rng.random((TRIALS, ROWS))
    values = values if law == "even" else np.ceil(values * 50) / 50
    band = share_band(0, ROWS, TRIAL_LEVEL, 0.0)
    for beyond in (values.min(axis=1) - (0.02 if law == "rounded" else 0.0), 1 - values.max(axis=1)):
        assert np.mean(beyond > band.high) <= TRIAL_LEVEL + 3 * np.sqrt(TRIAL_LEVEL / TRIALS)


def _missed(band: Band, true: np.ndarray) -> np.ndarray:
    return (true < band.low) | (true > band.high)
