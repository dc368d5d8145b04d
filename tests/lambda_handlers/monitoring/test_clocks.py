"""Clocks look when they should, go on from their state, and neither seasons nor missing hours alarm."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from serinus.lambda_handlers.monitoring.clocks import Clocks, ClockSettings, Looks, StaleStateError
from serinus.lambda_handlers.monitoring.streams import Streams
from serinus.lambda_handlers.monitoring.tolerance import Learning
from serinus.modelpack.bands import level_of, share_band

COLUMNS = ("age", "plan")
#: A median, a share below the first decile, missing; a category, unseen.
SHARES = np.array([0.5, 0.1, 0.0, 0.4, 0.0])
STREAMS = Streams.of(
    (np.maximum(SHARES - 0.02, 0)).tolist(), np.maximum(SHARES + 0.02, 0.01).tolist(), [0, 0, 0, 1, 1], COLUMNS
)
DAILY = ClockSettings()
HOURLY = ClockSettings(season="none", rows="independent")
FIRST = 477_943  # any hour since 1970
NOTHING = np.zeros((0, 5), int)


def batch(number: int) -> Streams:
    low, high = (np.broadcast_to(edge, (number, 5)) for edge in (STREAMS.low, STREAMS.high))
    return Streams(low, high, STREAMS.column, COLUMNS)


def hour_of(
    rng: np.random.Generator, shares: np.ndarray, rows: int = 40, blocks: int = 12
) -> tuple[np.ndarray, np.ndarray]:
    totals = np.full((*shares.shape[:-1], blocks, 5), rows)
    return rng.binomial(totals, shares[..., None, :]), totals


def season(hour: int, height: float) -> np.ndarray:
    return SHARES + height * np.sin(2 * np.pi * hour / 24) * np.array([1, 0.4, 0, 1, 0])


def alarms(looks: Looks) -> np.ndarray:
    return np.logical_or.reduce([look.alarm for look in looks if look is not None])


def test_the_slow_clock_looks_at_whole_days_three_times_a_day_and_the_fast_one_at_each_hour() -> None:
    rng = np.random.default_rng(1)
    clocks = Clocks.new(STREAMS, DAILY)
    looked = [clocks.look(FIRST + hour, *hour_of(rng, SHARES)) for hour in range(72)]
    assert [number for number, looks in enumerate(looked) if looks.slow is not None] == [23, *range(31, 72, 8)]
    assert all(looks.fast is not None for looks in looked)
    weekly = Clocks.new(STREAMS, ClockSettings(season="week"))
    looked = [weekly.look(FIRST + hour, *hour_of(rng, SHARES)) for hour in range(168)]
    assert [number for number, looks in enumerate(looked) if looks.slow is not None] == [167]


def test_without_a_season_one_clock_has_the_whole_level() -> None:
    clocks = Clocks.new(STREAMS, HOURLY)
    looks = clocks.look(FIRST, *hour_of(np.random.default_rng(1), SHARES))
    assert looks.fast is None
    assert looks.slow is not None
    assert looks.slow.threshold == pytest.approx(np.log(72_000))
    both = Clocks.new(STREAMS, DAILY)
    assert [phase.detector.threshold for phase in both.slow.phases] == [
        pytest.approx(np.log(3 * 2 * 30 / 0.01))
    ] * 3
    assert both.fast is not None
    assert both.fast.detector.threshold == pytest.approx(np.log(2 * 720 / 0.01))


@pytest.mark.parametrize("settings", [DAILY, HOURLY, ClockSettings(season="week", rows="independent")])
def test_evidence_is_the_same_whether_the_state_was_written_and_read_or_not(settings: ClockSettings) -> None:
    rng = np.random.default_rng(3)
    kept, read = Clocks.new(STREAMS, settings), Clocks.new(STREAMS, settings)
    for hour in range(17 * 24):
        shares = season(hour, 0.02) + (hour > 380) * np.array([0.15, 0, 0, 0, 0])
        blocks = (NOTHING, NOTHING) if hour % 24 == 7 else hour_of(rng, shares, blocks=2 if hour % 5 else 1)
        looks = kept.look(FIRST + hour, *blocks), read.look(FIRST + hour, *blocks)
        for one, other in zip(*looks, strict=True):
            assert (one is None) == (other is None)
            if one is not None and other is not None:
                assert one.total == other.total
                np.testing.assert_array_equal(one.by_column, other.by_column)
        read = Clocks.from_json(STREAMS, settings, json.loads(json.dumps(read.to_json())))
    assert kept.to_json() == read.to_json()


def test_the_state_of_thirty_columns_is_small() -> None:
    rng = np.random.default_rng(4)
    shares = np.tile([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.5, 0, 0, 0], 30)
    streams = Streams.of(
        np.maximum(shares - 0.015, 0).tolist(),
        (shares + 0.015).tolist(),
        np.repeat(np.arange(30), 13).tolist(),
        [str(n) for n in range(30)],
    )
    clocks = Clocks.new(streams, DAILY)
    for hour in range(54):
        totals = np.full((12, len(shares)), 80)
        clocks.look(hour, rng.binomial(totals, shares), totals)
    assert len(json.dumps(clocks.to_json(), separators=(",", ":"))) < 120_000


def test_a_state_of_other_bands_settings_or_rules_is_refused() -> None:
    state = Clocks.new(STREAMS, DAILY).to_json()
    other = Streams.of((STREAMS.low / 2).tolist(), STREAMS.high.tolist(), STREAMS.column.tolist(), COLUMNS)
    for streams, settings, data in (
        (other, DAILY, state),
        (STREAMS, HOURLY, state),
        (STREAMS, DAILY, {**state, "id": state["id"].replace("1 ", "0 ", 1)}),
    ):
        with pytest.raises(StaleStateError, match="does not count for"):
            Clocks.from_json(streams, settings, data)


def test_a_missing_hour_is_no_look_and_adds_nothing() -> None:
    rng = np.random.default_rng(5)
    clocks = Clocks.new(STREAMS, HOURLY)
    clocks.look(FIRST, *hour_of(rng, SHARES))
    before = clocks.to_json()["slow"]
    assert clocks.look(FIRST + 1, NOTHING, NOTHING) == Looks(None, None)
    assert clocks.to_json()["slow"][0]["log_r"] == before[0]["log_r"]
    with pytest.raises(ValueError, match="was to follow"):
        clocks.look(FIRST + 1, NOTHING, NOTHING)


def test_a_day_ends_with_its_last_hour_also_where_that_has_no_rows_or_is_never_looked_at() -> None:
    rng = np.random.default_rng(6)
    clocks, skipping = Clocks.new(STREAMS, DAILY), Clocks.new(STREAMS, DAILY)
    for hour in range(20):
        blocks = hour_of(rng, SHARES)
        clocks.look(FIRST + hour, *blocks), skipping.look(FIRST + hour, *blocks)
    assert [clocks.look(FIRST + hour, NOTHING, NOTHING).slow is not None for hour in range(20, 24)] == [
        False,
        False,
        False,
        True,
    ]
    assert skipping.look(FIRST + 30, *hour_of(rng, SHARES)).slow is not None


def looks_of(clocks: Clocks, hours: int, has_rows: Callable[[int], bool]) -> list[int]:
    """The hours in which the first detector of the slow clock looked."""
    rng = np.random.default_rng(7)
    first, looked = clocks.slow.phases[0], []
    for hour in range(hours):
        before = first.latest
        blocks = hour_of(rng, season(hour, 0.1)) if has_rows(hour) else (NOTHING, NOTHING)
        clocks.look(FIRST + hour, *blocks)
        looked += [hour] if first.latest is not before else []
    return looked


def test_a_day_of_which_hours_are_missing_is_dropped_but_not_for_ever() -> None:
    clocks = Clocks.new(STREAMS, DAILY)
    assert looks_of(clocks, 96, lambda hour: not 28 <= hour < 42) == [23, 71, 95]
    again = Clocks.new(STREAMS, DAILY)
    looks_of(again, 48, lambda hour: not 28 <= hour < 42)
    assert (again.slow.phases[0].detector.log_r == -np.inf).all()


def test_days_of_fewer_hours_are_whole_days_from_the_second_on() -> None:
    assert looks_of(Clocks.new(STREAMS, DAILY), 96, lambda hour: hour < 24 or hour % 24 < 10) == [23, 71, 95]


def test_an_alarm_of_the_slow_clock_stands_until_the_detector_that_raised_it_looks_again() -> None:
    rng = np.random.default_rng(16)
    clocks = Clocks.new(STREAMS, ClockSettings(season="day"))
    drift = np.array([0.07, 0.03, 0, 0, 0])
    alarmed = []
    for hour in range(96):
        looks = clocks.look(FIRST + hour, *hour_of(rng, SHARES + (24 <= hour < 50) * drift, rows=200))
        alarmed += [hour] if looks.slow is not None and looks.slow.alarm else []
    assert alarmed[0] in (39, 47)
    assert alarmed == list(range(alarmed[0], alarmed[-1] + 1, 8))
    assert alarmed[-1] < 95


def test_a_season_does_not_alarm_and_drift_does() -> None:
    rng = np.random.default_rng(9)
    clocks = Clocks.new(batch(20), DAILY)
    false, found = np.zeros(20, bool), np.zeros(20, bool)
    drifted = np.array([0.19, 0.1, 0, 0, 0])
    for hour in range(24 * 20):
        drift = hour >= 24 * 18
        looks = clocks.look(
            FIRST + hour, *hour_of(rng, np.tile(season(hour, 0.08) + drift * drifted, (20, 1)), blocks=6)
        )
        (found if drift else false)[:] |= alarms(looks)
    assert not false.any()
    assert found.all()


def test_rows_that_are_alike_do_not_alarm_where_they_count_as_clustered() -> None:
    rng = np.random.default_rng(10)
    alarm = {"clustered": np.zeros(20, bool), "independent": np.zeros(20, bool)}
    watching = {rows: Clocks.new(batch(20), ClockSettings("none", rows)) for rows in alarm}
    for hour in range(200):
        clusters, totals = hour_of(rng, np.tile(SHARES, (20, 1)), rows=5)
        for rows, clocks in watching.items():
            alarm[rows] |= alarms(clocks.look(hour, clusters * 20, totals * 20))
    assert not alarm["clustered"].any()
    assert alarm["independent"].all(), "the trial could not have failed"


def test_two_quiet_weeks_teach_what_each_hour_is_like_and_a_drift_that_is_being_found_does_not() -> None:
    rng = np.random.default_rng(11)
    clocks = Clocks.new(STREAMS, DAILY)
    assert clocks.fast is not None
    learning = clocks.fast.learning
    supposed = learning.bands(FIRST)
    for hour in range(24 * 25):
        drift = 24 * 5 + 6 <= hour < 24 * 7
        clocks.look(
            FIRST + hour, *hour_of(rng, season(hour, 0.08) + drift * np.array([0.3, 0, 0, 0, 0]), blocks=6)
        )
        if hour == 24 * 20:
            assert 0 < learning.days < 14
            assert (learning.bands(FIRST).high - learning.bands(FIRST).low)[0] > 0.9 * (
                supposed.high - supposed.low
            )[0]
    assert learning.done
    for hour in range(24):
        bands, shares = learning.bands(FIRST + hour), season(hour, 0.08)
        assert ((bands.low <= shares + 0.02) & (shares - 0.02 <= bands.high)).all()
        assert (bands.high - bands.low)[0] < (supposed.high - supposed.low)[0] / 2
        assert bands.high[2] >= STREAMS.high[2]


def test_noise_of_clusters_is_not_learned_as_tolerance_but_real_wandering_is() -> None:
    rng = np.random.default_rng(12)
    widths = {}
    for name, wander in (("clusters", 0.0), ("wandering", 0.06)):
        clocks = Clocks.new(STREAMS, DAILY)
        assert clocks.fast is not None
        for hour in range(24 * 16):
            shares = SHARES + rng.normal(0, wander) * np.array([1, 0.3, 0, 1, 0])
            counts, totals = hour_of(rng, np.clip(shares, 0, 1), rows=8)
            clocks.look(FIRST + hour, counts * 10, totals * 10)
        assert clocks.fast.learning.done, name
        bands = clocks.fast.learning.bands(FIRST)
        widths[name] = bands.high[0] - bands.low[0]
    assert widths["clusters"] < 0.15
    assert widths["wandering"] > 0.2


def test_a_stream_of_fewer_values_than_others_has_full_stakes_too() -> None:
    few, many = np.array([40] * 5), np.array([40, 40, 40, 4000, 4000])
    evidence = []
    for totals in (few, many):
        clocks = Clocks.new(STREAMS, ClockSettings(season="none"))
        for hour in range(3):
            looks = clocks.look(hour, np.full((12, 5), [28, 4, 0, 16, 0]) * totals / 40, np.tile(totals, (12, 1)))
        assert looks.slow is not None
        evidence.append(looks.slow.by_column[0])
    assert evidence[0] == pytest.approx(evidence[1])


def test_evidence_is_not_cut_within_a_cycle_so_that_later_hours_can_take_it_back() -> None:
    clocks = Clocks.new(STREAMS, DAILY)
    totals = np.full((12, 5), 1000)
    half = 0.2 * np.array([1, 0, 0, 0, 0])
    looked = []
    for hour in range(24):
        counts = np.rint((SHARES + (half if hour < 12 else -half)) * totals)
        looked.append(clocks.look(FIRST + hour, counts, totals).slow)
        if hour == 11:
            detector = clocks.slow.phases[0].detector
            assert detector.log_r.max() > detector.threshold + 24
    assert looked[-1] is not None
    assert looked[-1].total < 0


def test_more_traffic_than_baseline_does_not_reject_what_the_baseline_leaves_open() -> None:
    rng = np.random.default_rng(15)
    rows, level = 1000, level_of(5)
    counts = rng.binomial(rows, 0.5, (200, 5))
    bands = share_band(counts, rows, level, 0.0)
    clocks = Clocks.new(Streams(bands.low, bands.high, STREAMS.column, COLUMNS), HOURLY)
    alarm = np.zeros(200, bool)
    for hour in range(48):
        totals = np.full((200, 1, 5), 1_000_000)
        alarm |= alarms(clocks.look(hour, rng.binomial(totals, 0.5), totals))
    # The bands of one baseline in a hundred miss a share.
    assert alarm.mean() <= 0.03
    assert (np.abs(counts / rows - 0.5) > 0.01).any(axis=1).mean() > 0.9, "the trial could not have failed"


def test_an_hour_of_refused_requests_alone_teaches_nothing_of_columns() -> None:
    learning = Learning(STREAMS)
    refused = np.tile([0, 0, 0, 0, 50], (3, 1))
    learning.add(FIRST, np.zeros((3, 5)), refused)
    for day in range(1, 16):
        learning.add(FIRST + 24 * day, np.tile([30, 5, 0, 20, 0], (3, 1)), np.full((3, 5), 50))
        learning.end_day(np.array(True))
    bands = learning.bands(FIRST)
    assert (bands.low + bands.high)[0] / 2 == pytest.approx(0.6, abs=0.01)
