"""Evaluates the record of a rehearsal: its outcome and the figures behind it."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from serinus.cli.rehearse.record import RehearsalRecord
from serinus.cli.rehearse.traffic import RequestResult
from serinus.lambda_handlers.contract.release import Verdict

#: Standard errors within which a share of random choices is what its weight says.
STANDARD_ERRORS = 3.0
#: A canary's response is bad, even without failing, if it takes this many times the stable's 99th percentile.
_SLOW_FACTOR = 2.0
NOT_NAMED = "not named"


class RehearsalOutcome(Enum):
    """How the release ended; the value is the exit code."""

    PROMOTED = 0
    ROLLED_BACK = 3
    NOT_ENOUGH_EVIDENCE = 4
    JUDGED_TOO_LATE = 5


@dataclass(frozen=True, slots=True)
class CanaryShare:
    """``canary`` of the ``requests`` that Lambda counted while the alias had weights reached the canary;
    ``weight`` is the alias's."""

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
class RehearsalResult:
    """``failed`` counts server errors and requests without a response; times in cloud minutes. ``canary_requests``
    of the ``shift_requests`` live requests reached the canary before all traffic did or the alias was back."""

    outcome: RehearsalOutcome
    reason: str
    requests: int
    by_version: dict[str, dict[str, int]]
    failed: int
    canary_requests: int
    shift_requests: int
    canary_share: CanaryShare | None
    shift_minutes: float | None
    recovery_minutes: float | None

    @property
    def shift_canary_share(self) -> float:
        """Share of the requests during the shift that reached the canary."""
        return self.canary_requests / self.shift_requests if self.shift_requests else 0.0


def evaluate(record: RehearsalRecord) -> RehearsalResult:
    """The result of ``record``."""
    outcome, reason = _outcome(record)
    shift = record.shift
    during = [] if shift is None else [request for request in record.results if shift[0] <= request.at < shift[1]]
    shift_requests, canary_requests = _shift_requests(record)
    if record.final == record.stable and record.fully_shifted_at is not None:
        # Without weights Lambda does not count by version, and every request reaches the candidate.
        after_full_shift = sum(request.at >= record.fully_shifted_at for request in during)
        shift_requests, canary_requests = shift_requests + after_full_shift, canary_requests + after_full_shift
    if not shift_requests:
        shift_requests, canary_requests = len(during), sum(request.version == record.canary for request in during)
    return RehearsalResult(
        outcome=outcome,
        reason=reason,
        requests=len(record.results),
        by_version=count_by_version(record.results),
        failed=sum(request.failed for request in record.results),
        canary_requests=canary_requests,
        shift_requests=shift_requests,
        canary_share=_canary_share(record),
        shift_minutes=None if shift is None else (shift[1] - shift[0]) / 60,
        recovery_minutes=_recovery_minutes(record, during) if outcome is RehearsalOutcome.ROLLED_BACK else None,
    )


def count_by_version(results: Iterable[RequestResult]) -> dict[str, dict[str, int]]:
    """Requests by function version and status; "no answer" if there was no response."""
    counted: dict[str, Counter[str]] = {}
    for request in results:
        counted.setdefault(request.version or NOT_NAMED, Counter())[str(request.status or "no answer")] += 1
    return {version: dict(sorted(statuses.items())) for version, statuses in sorted(counted.items())}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of ``values`` that at least ``share`` of them do not exceed; NaN of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def _outcome(record: RehearsalRecord) -> tuple[RehearsalOutcome, str]:
    verdicts = [verdict for verdict in record.verdicts if verdict.canary == record.canary]
    last, release = (verdicts[-1] if verdicts else None), record.release
    objection = next((verdict for verdict in reversed(verdicts) if verdict.verdict == Verdict.ROLL_BACK), None)
    if record.final == record.stable:
        if objection is not None:
            return RehearsalOutcome.ROLLED_BACK, f"The judge: {objection.reason}."
        return RehearsalOutcome.ROLLED_BACK, _cause(record) or (release.error if release else "")
    if objection is not None:
        return (
            RehearsalOutcome.JUDGED_TOO_LATE,
            f"The judge's verdict was to roll back, but it came too late: {objection.reason}.",
        )
    if last is not None and last.verdict == Verdict.NOT_ENOUGH_EVIDENCE:
        return RehearsalOutcome.NOT_ENOUGH_EVIDENCE, f"The judge: {last.reason}."
    if last is not None:
        return RehearsalOutcome.PROMOTED, f"The judge: {last.reason}."
    if record.settings.strategy == "all_at_once":
        return RehearsalOutcome.PROMOTED, "The judge did not run: strategy all_at_once shifts all traffic at once."
    return RehearsalOutcome.PROMOTED, "The judge published no verdict before the release ended."


def _cause(record: RehearsalRecord) -> str:
    """What stopped the release, if it was not the judge's verdict."""
    release = record.release
    stopped_at = release.completed_at if release and release.completed_at else math.inf
    alarms = [event.text for event in record.observed if event.kind == "alarm" and event.at <= stopped_at]
    if alarms:
        return f"An alarm stopped it. {' '.join(alarms)}"
    failed = [] if release is None else [phase.name for phase in release.phases if phase.status == "Failed"]
    if "BeforeAllowTraffic" in failed:
        return "The pre-traffic check failed, before any live request reached it."
    if "AfterAllowTraffic" in failed:
        return "The post-traffic check failed, after all traffic had been shifted to it."
    return ""


def _shift_requests(record: RehearsalRecord) -> tuple[int, int]:
    """Requests while the alias had weights, and those that reached the canary, as Lambda counted them by version:
    clients do not know the cloud's clock exactly enough to say when a shift began."""
    counted = {version: counts.invocations for version, counts in record.invocations_by_version.items()}
    return sum(counted.values()), counted.get(record.canary or "", 0)


def _canary_share(record: RehearsalRecord) -> CanaryShare | None:
    """The canary's share; None if the alias had no single weight."""
    weights = {seen.alias.weight for seen in record.alias_samples if seen.alias.canary}
    requests, canary = _shift_requests(record)
    return CanaryShare(requests, canary, weights.pop()) if len(weights) == 1 and requests else None


def _recovery_minutes(record: RehearsalRecord, during: Sequence[RequestResult]) -> float | None:
    shift = record.shift
    before = [request.latency_ms for request in record.results if request.at < (shift[0] if shift else math.inf)]
    slow_ms = _SLOW_FACTOR * percentile(before, 0.99)
    bad = [
        request.at
        for request in during
        if request.failed
        or (request.version == record.canary and (request.non_finite or request.latency_ms > slow_ms))
    ]
    return (shift[1] - min(bad)) / 60 if shift and bad else None
