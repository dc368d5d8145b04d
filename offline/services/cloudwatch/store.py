"""Stores metric values: cheap to record, compact at rest, visible only when CloudWatch would show them.

`put` appends to a queue and returns; values move into per-minute buckets on a read, and only those whose delay is
over: on AWS a value becomes visible some time after it was sent (`visibility`).
"""

import bisect
import heapq
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
        #: Values that are not visible yet, a heap by the time when they are, then by the order in which they came.
        self._waiting: list[tuple[float, int, Sample | StatisticSet]] = []
        self._arrivals = 0
        #: When a metric's first value was sent, and when ListMetrics names it.
        self._introduced: dict[MetricKey, tuple[float, float]] = {}
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

    def first_sent(self, key: MetricKey) -> float | None:
        """When the metric's first value was sent; None for a new metric."""
        introduced = self._introduced.get(key)
        return None if introduced is None else introduced[0]

    def introduce(self, key: MetricKey, sent_at: float, listed_at: float) -> float:
        """Record a new metric; when its first value was sent, which another thread may have recorded before."""
        return self._introduced.setdefault(key, (sent_at, listed_at))[0]

    def exists(self, key: MetricKey, now: float) -> bool:
        """Whether the metric ever had a value that is visible."""
        with self._lock:
            self._settle(now)
            return key in self._metrics

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
            return sorted(
                key for key, seen in self._seen_at.items() if seen >= since and self._listed_at(key) <= now
            )

    def _listed_at(self, key: MetricKey) -> float:
        return self._introduced.get(key, (0.0, 0.0))[1]

    def settle(self, now: float) -> None:
        """Move values that have become visible into buckets, so that the queue does not grow."""
        with self._lock:
            self._settle(now)

    def _settle(self, now: float) -> None:
        incoming, waiting = self._incoming, self._waiting
        while incoming:
            sample = incoming.popleft()
            self._arrivals += 1
            heapq.heappush(waiting, (sample.visible_at, self._arrivals, sample))
        while waiting and waiting[0][0] <= now:
            sample = heapq.heappop(waiting)[2]
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
