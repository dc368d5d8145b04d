"""Stores metric values: cheap to record, compact at rest, visible only when CloudWatch would show them.

`put` appends to a queue and returns; values move into per-minute buckets on a read, and only those whose delay is
over (`metric-delay`: on AWS a value becomes visible some time after it was sent).
"""

import bisect
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from serinus.offline.services.cloudwatch.statistics import Bucket, merged

MINUTE_S = 60

Dimensions = tuple[tuple[str, str], ...]


class MetricKey(NamedTuple):
    """A metric's identity: namespace, name and exact set of dimensions, sorted by name."""

    namespace: str
    name: str
    dimensions: Dimensions


class Sample(NamedTuple):
    """A queued value; times in cloud epoch seconds."""

    visible_at: float
    key: MetricKey
    unit: str
    timestamp: float
    resolution_s: int
    value: float
    times: float


class StatisticSet(NamedTuple):
    """A queued statistic set."""

    visible_at: float
    key: MetricKey
    unit: str
    timestamp: float
    resolution_s: int
    sample_count: float
    total: float
    minimum: float
    maximum: float


@dataclass(slots=True)
class Series:
    """One metric's buckets in one unit, by the epoch second of their start."""

    starts: list[int] = field(default_factory=list)
    buckets: dict[int, Bucket] = field(default_factory=dict)

    def bucket_at(self, start: int) -> Bucket:
        bucket = self.buckets.get(start)
        if bucket is None:
            bucket = self.buckets[start] = Bucket()
            bisect.insort(self.starts, start)
        return bucket

    def between(self, start: float, end: float) -> Iterator[tuple[int, Bucket]]:
        """The buckets that begin at or after ``start`` and before ``end``."""
        for index in range(bisect.bisect_left(self.starts, start), bisect.bisect_left(self.starts, end)):
            yield self.starts[index], self.buckets[self.starts[index]]


class MetricStore:
    """The metrics of one region. Safe from any thread; all times are cloud epoch seconds."""

    def __init__(self) -> None:
        self._incoming: deque[Sample | StatisticSet] = deque()
        self._metrics: dict[MetricKey, dict[str, Series]] = {}
        self._seen_at: dict[MetricKey, float] = {}
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def put(self, sample: Sample | StatisticSet) -> None:
        """Record a value. Appending to a deque is atomic, so the hot path takes no lock."""
        self._incoming.append(sample)

    def datapoints(
        self,
        key: MetricKey,
        *,
        start: float,
        end: float,
        period_s: int,
        now: float,
        unit: str | None = None,
        with_values: bool = True,
    ) -> dict[int, Bucket]:
        """The values of each period from ``start`` (periods are counted from there) to ``end``.

        Keyed by the epoch second of a period's start; periods without values are absent. All units are merged
        unless ``unit`` selects one. ``with_values`` is needed for percentiles only.
        """
        by_period: dict[int, list[Bucket]] = {}
        with self._lock:
            self._settle(now)
            for name, series in self._metrics.get(key, {}).items():
                if unit is not None and name != unit:
                    continue
                for begins, bucket in series.between(start, end):
                    period = int(start) + int((begins - start) // period_s) * period_s
                    by_period.setdefault(period, []).append(bucket)
            return {
                period: merged(buckets, with_values=with_values) for period, buckets in sorted(by_period.items())
            }

    def units(self, key: MetricKey, now: float) -> list[str]:
        """The units in which the metric was reported."""
        with self._lock:
            self._settle(now)
            return list(self._metrics.get(key, {}))

    def keys(self, *, since: float, now: float) -> list[MetricKey]:
        """Metrics with values that became visible at or after ``since``."""
        with self._lock:
            self._settle(now)
            return sorted(key for key, seen in self._seen_at.items() if seen >= since)

    def settle(self, now: float) -> None:
        """Move values that have become visible into buckets, so that the queue does not grow."""
        with self._lock:
            self._settle(now)

    def _settle(self, now: float) -> None:
        incoming = self._incoming
        while incoming and incoming[0].visible_at <= now:
            sample = incoming.popleft()
            start = int(sample.timestamp // sample.resolution_s) * sample.resolution_s
            bucket = self._metrics.setdefault(sample.key, {}).setdefault(sample.unit, Series()).bucket_at(start)
            if isinstance(sample, Sample):
                bucket.add(sample.value, sample.times)
            else:
                bucket.add_set(sample.sample_count, sample.total, sample.minimum, sample.maximum)
            self._seen_at[sample.key] = max(self._seen_at.get(sample.key, 0.0), sample.visible_at)


def dimensions_of(pairs: Iterable[dict[str, Any]]) -> Dimensions:
    """A request's dimensions ([{"Name", "Value"}]) in the store's form."""
    return tuple(sorted((pair["Name"], pair["Value"]) for pair in pairs))


def dimensions_out(dimensions: Dimensions) -> list[dict[str, str]]:
    """Dimensions of a response."""
    return [{"Name": name, "Value": value} for name, value in dimensions]
