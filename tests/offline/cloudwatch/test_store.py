"""Recording is cheap, keeping is compact, and nothing is seen before its delay is over."""

import pickle
import threading

import pytest

from serinus.offline.services.cloudwatch.statistics import (
    EXACT_VALUES,
    Bucket,
    percentile_value,
    too_few_samples,
    value_of,
)
from serinus.offline.services.cloudwatch.store import MetricKey, MetricStore, Sample, StatisticSet

KEY = MetricKey("App", "latency", (("Function", "f"),))


def sample(
    value: float, at: float = 0.0, visible_at: float = 0.0, resolution_s: int = 60, unit: str = "None"
) -> Sample:
    return Sample(visible_at, KEY, unit, at, resolution_s, value, 1.0)


def sums(store: MetricStore, *, end: float = 600, period_s: int = 60, now: float = 600) -> dict[int, float]:
    points = store.datapoints(KEY, start=0, end=end, period_s=period_s, now=now)
    return {at: bucket.total for at, bucket in points.items()}


def test_values_of_a_minute_fall_together() -> None:
    store = MetricStore()
    for at, value in ((0.0, 1.0), (59.9, 2.0), (60.0, 4.0)):
        store.put(sample(value, at))
    assert sums(store) == {0: 3.0, 60: 4.0}
    assert sums(store, period_s=300) == {0: 7.0}


def test_high_resolution_values_keep_their_second() -> None:
    store = MetricStore()
    for at in (0.2, 0.9, 10.5):
        store.put(sample(1.0, at, resolution_s=1))
    assert sums(store, period_s=1) == {0: 2.0, 10: 1.0}
    assert sums(store, period_s=10) == {0: 2.0, 10: 1.0}
    assert sums(store) == {0: 3.0}


def test_a_value_is_seen_when_its_delay_is_over() -> None:
    store = MetricStore()
    store.put(sample(1.0, 0.0, visible_at=30.0))
    assert sums(store, now=29.0) == {}
    assert sums(store, now=30.0) == {0: 1.0}


def test_units_are_kept_apart_and_merged_on_demand() -> None:
    store = MetricStore()
    store.put(sample(1.0, unit="Seconds"))
    store.put(sample(2.0, unit="Count"))
    assert sums(store) == {0: 3.0}
    seconds = store.datapoints(KEY, start=0, end=60, period_s=60, now=0, unit="Seconds")
    assert seconds[0].total == 1.0


def test_many_threads_lose_no_value() -> None:
    store = MetricStore()

    def put() -> None:
        for _ in range(1000):
            store.put(sample(1.0))
            store.settle(0.0)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums(store) == {0: 4000.0}


def test_a_store_survives_pickling() -> None:
    store = MetricStore()
    store.put(sample(1.0))
    store.put(sample(2.0, visible_at=900.0))
    restored = pickle.loads(pickle.dumps(store))
    assert sums(restored) == {0: 1.0}
    assert sums(restored, now=900) == {0: 3.0}


def test_a_bucket_of_endless_different_values_stays_small() -> None:
    bucket = Bucket()
    for place in range(200_000):
        bucket.add(1 + place / 1000, 1)
    assert len(bucket.values) < EXACT_VALUES + 3_000
    assert value_of(bucket, "p50") == pytest.approx(101, rel=0.005)
    assert value_of(bucket, "SampleCount") == 200_000


def test_percentiles_interpolate_between_neighbours() -> None:
    values = {10.0: 1.0, 20.0: 1.0, 30.0: 1.0, 40.0: 1.0}
    assert percentile_value(values, 0) == 10
    assert percentile_value(values, 50) == 25
    assert percentile_value(values, 100) == 40
    assert percentile_value({5.0: 100.0}, 99.9) == 5


def test_a_statistic_set_has_percentiles_only_when_its_values_are_known() -> None:
    store = MetricStore()
    store.put(StatisticSet(0.0, KEY, "None", 0.0, 60, 4.0, 20.0, 5.0, 5.0))
    store.put(StatisticSet(0.0, KEY, "None", 60.0, 60, 2.0, 20.0, 5.0, 15.0))
    points = store.datapoints(KEY, start=0, end=120, period_s=60, now=0)
    assert value_of(points[0], "p90") == 5.0
    assert value_of(points[60], "p90") is None
    assert value_of(points[60], "Average") == 10.0


def test_percentiles_of_negative_values_are_not_available() -> None:
    bucket = Bucket()
    bucket.add(-1.0, 1)
    assert value_of(bucket, "p50") is None


@pytest.mark.parametrize(("statistic", "needed"), [("p99", 1000), ("p50", 20), ("p90", 100), ("p10", 100)])
def test_how_many_samples_a_percentile_needs(statistic: str, needed: int) -> None:
    assert too_few_samples(statistic, needed - 1)
    assert not too_few_samples(statistic, needed)


def test_other_statistics_need_no_number_of_samples() -> None:
    assert not too_few_samples("Average", 1)
