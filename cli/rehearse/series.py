"""Answers as series over cloud time, a bucket at a time, for the report's plots."""

from collections.abc import Sequence
from dataclasses import dataclass

from serinus.cli.rehearse.outcome import percentile
from serinus.cli.rehearse.record import Record
from serinus.cli.rehearse.traffic import Answered

#: Real seconds of traffic in a bucket: enough requests for a percentile of the canary's share to mean something.
_BUCKET_REAL_S = 0.5
_LEAD_MINUTES = 3.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """The answers to what left within a stretch of ``minutes`` cloud minutes that begins at ``minute`` (since the
    release was ordered), by role: "stable", "candidate", or "unnamed" where the answer names no version."""

    minute: float
    minutes: float
    answers: dict[str, list[Answered]]

    @property
    def middle(self) -> float:
        return self.minute + self.minutes / 2

    @property
    def count(self) -> int:
        return sum(map(len, self.answers.values()))

    def share(self, role: str) -> float:
        """Share of the answers in percent; 0 of none."""
        return 100 * len(self.answers[role]) / self.count if self.count else 0.0

    def failed(self, role: str) -> int:
        return sum(one.failed for one in self.answers[role])

    def latency_ms(self, role: str, share: float) -> float:
        """A percentile; NaN where nobody of the role answered."""
        return percentile([one.latency_ms for one in self.answers[role]], share)

    def joined(self, other: "Bucket") -> "Bucket":
        """This one and a later ``other`` as one."""
        answers = {role: [*self.answers[role], *other.answers[role]] for role in self.answers}
        return Bucket(self.minute, other.minute + other.minutes - self.minute, answers)


ROLES = ("stable", "candidate", "unnamed")
#: A failed function's answer is the gateway's, which does not say who failed: Lambda's count of versions does.
UNNAMED = "failed, by an answer that names no version"


def minutes_since_release(record: Record, at: float) -> float:
    """Cloud minutes from the order to release to ``at``."""
    return (at - record.released_at) / 60


def stretch(record: Record) -> tuple[float, float]:
    """What the report shows, in cloud minutes since the release was ordered: a little more than the rollout."""
    release = record.release
    begin = minutes_since_release(record, release.created_at) - _LEAD_MINUTES if release else 0.0
    first = minutes_since_release(record, record.answers[0].at) if record.answers else 0.0
    end = max([record.deployed_at, *(one.at for one in record.answers)])
    return max(begin, first), minutes_since_release(record, end)


def buckets(record: Record, width_minutes: float) -> list[Bucket]:
    """The stretch's answers in buckets of ``width_minutes``."""
    since, until = stretch(record)
    if record.shift is not None:  # which begins with a bucket: none tells of both before and after
        since -= -(minutes_since_release(record, record.shift[0]) - since) % width_minutes
    count = max(1, int((until - since) / width_minutes))
    made = [
        Bucket(since + index * width_minutes, width_minutes, {role: [] for role in ROLES})
        for index in range(count)
    ]
    for one in record.answers:
        place = int((minutes_since_release(record, one.at) - since) // width_minutes)
        if 0 <= place < count:
            made[place].answers[_role(record, one)].append(one)
    return made


def pooled(series: Sequence[Bucket], least: int, role: str | None = None) -> list[Bucket]:
    """``series`` from the first answer (of ``role``, or any) to the last, neighbours joined until each has
    ``least``: a share or percentile of a handful of answers would be noise drawn as news."""

    def count(one: Bucket) -> int:
        return one.count if role is None else len(one.answers[role])

    full = [index for index, one in enumerate(series) if count(one)]
    made: list[Bucket] = []
    for one in series[full[0] : full[-1] + 1] if full else ():
        if made and count(made[-1]) < least:
            made[-1] = made[-1].joined(one)
        else:
            made.append(one)
    if len(made) > 1 and count(made[-1]) < least:
        made[-2:] = [made[-2].joined(made[-1])]
    return made


def bucket_minutes(record: Record) -> float:
    """The width of a bucket in cloud minutes."""
    return _BUCKET_REAL_S * record.play.speed / 60


def weight_steps(record: Record) -> Sequence[tuple[float, float]]:
    """(minute, candidate's weight in percent) as corners of a stepped line."""
    shift, corners = record.shift, list[tuple[float, float]]()
    for seen in record.shares:
        alias, at = seen.alias, seen.at
        weight = 100 * alias.weight if alias.canary else 100.0 * (alias.version == record.canary)
        if corners and corners[-1][1] != weight:
            # CodeDeploy says when the shift began and ended; looks at the alias come a little later.
            if shift and (corners[-1][1] == 0 or not alias.canary):
                at = shift[0] if corners[-1][1] == 0 else shift[1]
            corners.append((minutes_since_release(record, at), corners[-1][1]))
        corners.append((minutes_since_release(record, at), weight))
    return corners


def _role(record: Record, one: Answered) -> str:
    return {record.stable: "stable", record.canary: "candidate"}.get(one.version, "unnamed")
