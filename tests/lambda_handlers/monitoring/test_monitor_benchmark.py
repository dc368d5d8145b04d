"""`scripts/bench monitor` counts as values are counted, and its watches tell drift from none."""

import sys
from pathlib import Path

import numpy as np
import pytest

# Last: a benchmark may bear the name of what it measures.
sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from watching.baselines import draw_baselines
from watching.columns import EDGES, KINDS, NUMBERS, Number
from watching.figures import delays, false_months, upper_bound
from watching.months import BATCH, NEVER, Alarms, Watch
from watching.peer_looks import TOOLS, draw
from watching.sections import DEFAULT, PLAIN
from watching.traffic import DRIFTS, NO_DRIFT, Kind, Traffic


@pytest.mark.parametrize(
    "kind", [Number(), Number(step=0.5), Number(zeros=-0.25)], ids=["even", "rounded", "zeros"]
)
def test_a_value_is_at_most_another_where_its_normal_number_is_at_most_the_highest_of_that(kind: Number) -> None:
    rng = np.random.default_rng(1)
    normal = rng.standard_normal(2000)
    values = kind.values(normal)
    edges = values[:20]
    np.testing.assert_array_equal(values[:, None] <= edges, normal[:, None] <= kind.highest(edges))
    np.testing.assert_array_equal(values[:, None] < edges, normal[:, None] < kind.lowest(edges))


def test_counts_are_those_of_values_drawn_one_by_one() -> None:
    kind = Kind("seasonal", 200_000, season=0.3)
    traffic = Traffic.begin(kind, 2, 12, 1000, seed=1)
    counts, totals = traffic.hour(0, DRIFTS[0], np.array([True, False]))
    means = traffic._means[..., 0] + np.array([[0.5], [0.0]]) * (
        np.arange(NUMBERS) == DRIFTS[0].columns(2)[:, None]
    )
    values = np.random.default_rng(2).standard_normal((2, NUMBERS, 50_000)) + means[..., None]
    at_most = (values[..., None] <= traffic.baselines.places[:, :, None, 1 : EDGES + 1]).mean(axis=2)
    shares = counts.sum(axis=1) / totals.sum(axis=1)
    drawn = shares[:, : NUMBERS * (EDGES + 4)].reshape(2, NUMBERS, -1)[..., :EDGES]
    np.testing.assert_allclose(drawn, at_most, atol=0.015)


def test_bands_hold_the_true_shares_and_ties_have_fewer_edges() -> None:
    baselines = draw_baselines(np.random.default_rng(3), np.zeros((3, NUMBERS, 24)), np.full(24, 1 / 24), 5000)
    streams = baselines.streams
    assert ((streams.low >= 0) & (streams.high <= 1)).all()
    edges = [(places[1:-1] < places[-1]).sum() for places in baselines.places[0]]
    assert edges[KINDS.index(Number())] == EDGES
    assert edges[KINDS.index(Number(step=0.5))] < EDGES
    quiet = Traffic(
        Kind("independent", 400_000),
        1,
        np.random.default_rng(4),
        baselines,
        np.zeros((3, NUMBERS, 24)),
        np.ones(24),
    )
    counts, totals = quiet.hour(0, NO_DRIFT, np.zeros(3, bool))
    shares = counts[:, 0] / totals[:, 0]
    assert ((streams.low - 0.003 <= shares) & (shares <= streams.high + 0.003)).all()


def test_a_watch_finds_drift_names_the_column_and_is_silent_without() -> None:
    (quiet,) = Watch(Kind("independent", 1_000), PLAIN, (), 1, 0, 5).run()
    assert (quiet.delay == NEVER).all()
    shifted, _, moved, _ = Watch(Kind("independent", 1_000), PLAIN, DRIFTS, 1, 24, 6).run()
    for alarms in (shifted, moved):
        assert not alarms.early.any()
        assert np.median(alarms.delay) <= 3
        assert alarms.right.all()
    (clustered,) = Watch(Kind("clustered", 1_000, cluster=10), PLAIN, (), 2, 0, 7).run()
    assert (clustered.delay != NEVER).all(), "rows that are alike void this configuration's guarantee"


def test_the_default_watch_finds_a_shift_within_a_day_among_clusters_and_seasons() -> None:
    kind = Kind("both", 1_000, cluster=10, season=0.3)
    (shifted,) = Watch(kind, DEFAULT, DRIFTS[:1], 3, 48, 8).run()
    assert not shifted.early.any()
    assert np.median(shifted.delay) <= 24


def test_figures_say_what_is_missed() -> None:
    late = np.array([1, 2, 3, NEVER])
    some, none = np.array([True, True, True, False]), np.zeros(4, bool)
    alarms = Alarms(late, none, some, np.zeros(4, int), none)
    row = delays(alarms, 1)
    assert (row["median h"], row["p90 h"], row["found %"], row["right %"]) == (2, None, 75.0, 100.0)
    assert row["held"] == "MISSED"
    assert false_months(alarms, 2)["false months"] == 3
    assert upper_bound(0, 200) == pytest.approx(1 - 0.05 ** (1 / 200))
    assert BATCH == 20


@pytest.mark.parametrize(("tool", "sees"), [("largest-distance", 0.5), ("stability-index", 1.0)])
def test_rules_that_are_computed_see_a_large_shift_of_the_right_number(tool: str, sees: float) -> None:
    rng = np.random.default_rng(9)
    look = TOOLS[tool](draw(rng, 5000), 1000)
    assert look(draw(rng, 1000)).sum() == 0
    assert np.flatnonzero(look(draw(rng, 1000, shift=sees))[0]).tolist() == [0]
