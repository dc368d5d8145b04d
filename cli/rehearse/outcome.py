"""What a record amounts to: the outcome, and the figures that bear it out."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from serinus.cli.rehearse.record import Record
from serinus.cli.rehearse.traffic import Answered
from serinus.lambda_handlers.contract.release import Verdict

#: Standard errors within which a share of random choices is what its weight says.
STANDARD_ERRORS = 3.0
#: A canary's answer is bad, where none failed, if it takes this many times the stable's 99th percentile.
_SLOW_FACTOR = 2.0
NOT_NAMED = "not named"


class Outcome(Enum):
    """How it ended, and the exit code that says so."""

    PROMOTED = 0
    ROLLED_BACK = 3
    NOT_ENOUGH_EVIDENCE = 4
    JUDGED_TOO_LATE = 5


@dataclass(frozen=True, slots=True)
class CanaryShare:
    """Of ``requests`` that Lambda counted while the alias had weights, ``canary`` met the canary; ``weight`` is
    what the alias said."""

    requests: int
    canary: int
    weight: float

    @property
    def share(self) -> float:
        return self.canary / self.requests

    @property
    def standard_error(self) -> float:
        return math.sqrt(self.weight * (1 - self.weight) / self.requests)

    @property
    def as_weighted(self) -> bool:
        """Whether the share lies within three standard errors of the weight."""
        return abs(self.share - self.weight) <= STANDARD_ERRORS * self.standard_error


@dataclass(frozen=True, slots=True)
class Story:
    """``failed`` counts server errors and requests without an answer; times in cloud minutes. ``met_canary`` is
    how many of the ``during_shift`` live requests met the canary before all traffic did or the alias was back."""

    outcome: Outcome
    reason: str
    requests: int
    by_version: dict[str, dict[str, int]]
    failed: int
    met_canary: int
    during_shift: int
    canary_share: CanaryShare | None
    shift_minutes: float | None
    minutes_bad_to_back: float | None

    @property
    def met_share(self) -> float:
        """Share of the requests during the shift that met the canary."""
        return self.met_canary / self.during_shift if self.during_shift else 0.0


def tell(record: Record) -> Story:
    """The story of ``record``."""
    outcome, reason = _outcome(record)
    shift = record.shift
    during = [] if shift is None else [one for one in record.answers if shift[0] <= one.at < shift[1]]
    during_shift, met_canary = _metered(record)
    if record.final == record.stable and record.all_moved_at is not None:
        # Without weights Lambda does not count by version, and every request met the candidate.
        everyone = sum(one.at >= record.all_moved_at for one in during)
        during_shift, met_canary = during_shift + everyone, met_canary + everyone
    if not during_shift:
        during_shift, met_canary = len(during), sum(one.version == record.canary for one in during)
    return Story(
        outcome=outcome,
        reason=reason,
        requests=len(record.answers),
        by_version=count(record.answers),
        failed=sum(one.failed for one in record.answers),
        met_canary=met_canary,
        during_shift=during_shift,
        canary_share=_canary_share(record),
        shift_minutes=None if shift is None else (shift[1] - shift[0]) / 60,
        minutes_bad_to_back=_minutes_bad_to_back(record, during) if outcome is Outcome.ROLLED_BACK else None,
    )


def count(answers: Iterable[Answered]) -> dict[str, dict[str, int]]:
    """Requests by function version and status; "no answer" where nothing came back."""
    counted: dict[str, Counter[str]] = {}
    for one in answers:
        counted.setdefault(one.version or NOT_NAMED, Counter())[str(one.status or "no answer")] += 1
    return {version: dict(sorted(statuses.items())) for version, statuses in sorted(counted.items())}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of ``values`` that at least ``share`` of them do not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def _outcome(record: Record) -> tuple[Outcome, str]:
    said = [one for one in record.verdicts if one.canary == record.canary]
    last, release = (said[-1] if said else None), record.release
    objection = next((one for one in reversed(said) if one.verdict == Verdict.ROLL_BACK), None)
    if record.final == record.stable:
        if objection is not None:
            return Outcome.ROLLED_BACK, f"The judge: {objection.reason}."
        return Outcome.ROLLED_BACK, _cause(record) or (release.error if release else "")
    if objection is not None:
        return (
            Outcome.JUDGED_TOO_LATE,
            f"The judge said to roll it back, too late to be heeded: {objection.reason}.",
        )
    if last is not None and last.verdict == Verdict.NOT_ENOUGH_EVIDENCE:
        return Outcome.NOT_ENOUGH_EVIDENCE, f"The judge: {last.reason}."
    if last is not None:
        return Outcome.PROMOTED, f"The judge: {last.reason}."
    return Outcome.PROMOTED, "Nothing judged it: this strategy shifts all traffic at once."


def _cause(record: Record) -> str:
    """What stopped the release, where it was not the judge's verdict."""
    release = record.release
    stopped_at = release.completed_at if release and release.completed_at else math.inf
    alarms = [one.text for one in record.happenings if one.kind == "alarm" and one.at <= stopped_at]
    if alarms:
        return f"An alarm stopped it. {' '.join(alarms)}"
    failed = [] if release is None else [phase.name for phase in release.phases if phase.status == "Failed"]
    if "BeforeAllowTraffic" in failed:
        return "The check before traffic stopped it, before any live request met it."
    if "AfterAllowTraffic" in failed:
        return "The check after traffic stopped it, when all traffic had met it."
    return ""


def _metered(record: Record) -> tuple[int, int]:
    """Requests while the alias had weights, and those that met the canary. Lambda counted them, by the version
    that it chose: what clients know of the cloud's clock is not exact enough to say when a shift began."""
    counted = {version: one.invocations for version, one in record.metered.items()}
    return sum(counted.values()), counted.get(record.canary or "", 0)


def _canary_share(record: Record) -> CanaryShare | None:
    """The canary's share; None where the alias had no single weight."""
    weights = {seen.alias.weight for seen in record.shares if seen.alias.canary}
    requests, canary = _metered(record)
    return CanaryShare(requests, canary, weights.pop()) if len(weights) == 1 and requests else None


def _minutes_bad_to_back(record: Record, during: Sequence[Answered]) -> float | None:
    shift = record.shift
    before = [one.latency_ms for one in record.answers if one.at < (shift[0] if shift else math.inf)]
    slow_ms = _SLOW_FACTOR * percentile(before, 0.99)
    bad = [
        one.at
        for one in during
        if one.failed or (one.version == record.canary and (one.non_finite or one.latency_ms > slow_ms))
    ]
    return (shift[1] - min(bad)) / 60 if shift and bad else None
