"""Responses as series over cloud time, a bucket at a time, for the report's plots."""

from collections.abc import Sequence
from dataclasses import dataclass

from serinus.cli.rehearse.outcome import percentile
from serinus.cli.rehearse.pace import BATCH_EVERY_S
from serinus.cli.rehearse.record import RehearsalRecord
from serinus.cli.rehearse.traffic import RequestResult

#: Real seconds of traffic in a bucket: enough requests for a percentile of the canary's share to mean something.
_BUCKET_REAL_S = 0.5
#: Cloud minutes of a bucket if time was skipped: two batches of requests.
_STEPPED_BUCKET_MINUTES = 2 * BATCH_EVERY_S / 60
_LEAD_MINUTES = 3.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """The answers to what left within a stretch of ``minutes`` cloud minutes that begins at ``minute`` (since the
    release started), by role: "stable", "candidate", or "unnamed" if the response names no version."""

    minute: float
    minutes: float
    results: dict[str, list[RequestResult]]

    @property
    def middle(self) -> float:
        return self.minute + self.minutes / 2

    @property
    def count(self) -> int:
        return sum(map(len, self.results.values()))

    def share(self, role: str) -> float:
        """Share of the answers in percent; 0 of none."""
        return 100 * len(self.results[role]) / self.count if self.count else 0.0

    def failed(self, role: str) -> int:
        return sum(request.failed for request in self.results[role])

    def latency_ms(self, role: str, share: float) -> float:
        """A percentile; NaN without responses of the role."""
        return percentile([request.latency_ms for request in self.results[role]], share)

    def joined(self, other: "Bucket") -> "Bucket":
        """This one and a later ``other`` as one."""
        results = {role: [*self.results[role], *other.results[role]] for role in self.results}
        return Bucket(self.minute, other.minute + other.minutes - self.minute, results)


ROLES = ("stable", "candidate", "unnamed")
#: A failed function's response comes from the gateway, which names no version; Lambda's metrics do.
UNNAMED = "failed, in a response that names no version"


def minutes_since_release(record: RehearsalRecord, at: float) -> float:
    """Cloud minutes from the start of the release to ``at``."""
    return (at - record.released_at) / 60


def report_span(record: RehearsalRecord) -> tuple[float, float]:
    """What the report shows, in cloud minutes since the release was ordered: a little more than the rollout."""
    release = record.release
    begin = minutes_since_release(record, release.created_at) - _LEAD_MINUTES if release else 0.0
    first = minutes_since_release(record, record.results[0].at) if record.results else 0.0
    end = max([record.deployed_at, *(request.at for request in record.results)])
    return max(begin, first), minutes_since_release(record, end)


def buckets(record: RehearsalRecord, width_minutes: float) -> list[Bucket]:
    """The stretch's answers in buckets of ``width_minutes``."""
    since, until = report_span(record)
    if record.shift is not None:  # starts with a bucket, so that none covers both before and after
        since -= -(minutes_since_release(record, record.shift[0]) - since) % width_minutes
    count = max(1, int((until - since) / width_minutes))
    series = [
        Bucket(since + index * width_minutes, width_minutes, {role: [] for role in ROLES})
        for index in range(count)
    ]
    for request in record.results:
        index = int((minutes_since_release(record, request.at) - since) // width_minutes)
        if 0 <= index < count:
            series[index].results[_role(record, request)].append(request)
    return series


def merge_small(series: Sequence[Bucket], least: int, role: str | None = None) -> list[Bucket]:
    """``series`` from the first answer (of ``role``, or any) to the last, neighbours joined until each has
    ``least``: a share or percentile of a handful of answers would be noise drawn as news."""

    def count(bucket: Bucket) -> int:
        return bucket.count if role is None else len(bucket.results[role])

    full = [index for index, bucket in enumerate(series) if count(bucket)]
    merged: list[Bucket] = []
    for bucket in series[full[0] : full[-1] + 1] if full else ():
        if merged and count(merged[-1]) < least:
            merged[-1] = merged[-1].joined(bucket)
        else:
            merged.append(bucket)
    if len(merged) > 1 and count(merged[-1]) < least:
        merged[-2:] = [merged[-2].joined(merged[-1])]
    return merged


def bucket_minutes(record: RehearsalRecord) -> float:
    """The width of a bucket in cloud minutes."""
    speed = record.settings.speed
    return _STEPPED_BUCKET_MINUTES if speed is None else _BUCKET_REAL_S * speed / 60


def weight_steps(record: RehearsalRecord) -> Sequence[tuple[float, float]]:
    """(minute, candidate's weight in percent) as corners of a stepped line."""
    shift, corners = record.shift, list[tuple[float, float]]()
    for seen in record.alias_samples:
        alias, at = seen.alias, seen.at
        weight = 100 * alias.weight if alias.canary else 100.0 * (alias.version == record.canary)
        if corners and corners[-1][1] != weight:
            # CodeDeploy says when the shift began and ended; looks at the alias come a little later.
            if shift and (corners[-1][1] == 0 or not alias.canary):
                at = shift[0] if corners[-1][1] == 0 else shift[1]
            corners.append((minutes_since_release(record, at), corners[-1][1]))
        corners.append((minutes_since_release(record, at), weight))
    return corners


def _role(record: RehearsalRecord, request: RequestResult) -> str:
    return {record.stable: "stable", record.canary: "candidate"}.get(request.version, "unnamed")
