"""The result of a rehearsal in sentences that need no knowledge of AWS."""

from serinus.cli.rehearse.outcome import RehearsalOutcome, RehearsalResult
from serinus.cli.rehearse.record import RehearsalRecord

_HEADLINES = {
    RehearsalOutcome.PROMOTED: "Promoted",
    RehearsalOutcome.ROLLED_BACK: "Rolled back",
    RehearsalOutcome.NOT_ENOUGH_EVIDENCE: "Promoted without enough evidence",
    RehearsalOutcome.JUDGED_TOO_LATE: "Promoted against the judge's verdict",
}

#: Share of the requests that could not be sent above which the result may be due to this machine.
_BUSY_SHARE = 0.2


def headline(result: RehearsalResult) -> str:
    """A few words."""
    return _HEADLINES[result.outcome]


def summary(record: RehearsalRecord, result: RehearsalResult) -> list[str]:
    """A few sentences: what happened, why, and how many requests it affected."""
    sentences = (
        _result_sentence(record, result),
        result.reason,
        _impact_sentence(result),
        _busy_sentence(record, result),
    )
    return [sentence for sentence in sentences if sentence]


def _result_sentence(record: RehearsalRecord, result: RehearsalResult) -> str:
    candidate = f"version {record.canary}" if record.canary else "the candidate"
    if result.outcome is not RehearsalOutcome.ROLLED_BACK:
        return f"The release of {record.settings.endpoint} as {candidate} now serves all requests."
    if result.shift_minutes is None:
        return (
            f"The release of {record.settings.endpoint} as {candidate} was stopped before it received any "
            "request; "
            f"version {record.stable} served throughout."
        )
    return (
        f"The release of {record.settings.endpoint} as {candidate} was rolled back automatically after "
        f"{result.shift_minutes:.1f} minutes; version {record.stable} serves all requests again."
    )


def _impact_sentence(result: RehearsalResult) -> str:
    if result.outcome is RehearsalOutcome.ROLLED_BACK and result.shift_minutes is not None:
        # Not "the bad version": the judge may only have lacked evidence.
        share = f"{result.canary_requests} of {result.shift_requests} requests ({result.shift_canary_share:.1%})"
        recovery = ""
        if result.recovery_minutes is not None:
            recovery = f"; recovery took {result.recovery_minutes:.1f} minutes from the first bad response"
        return f"{share} reached the new version{recovery}. {result.failed} failed."
    if result.failed:
        return f"{result.failed} of {result.requests} requests failed."
    return f"All {result.requests} requests were answered; none was lost or failed."


def _busy_sentence(record: RehearsalRecord, result: RehearsalResult) -> str:
    """That the result may be due to this machine, if it could not send the requests."""
    if record.unsent <= _BUSY_SHARE * (result.requests + record.unsent):
        return ""
    return (
        f"This machine was too busy for {record.settings.rate:g} requests a second: {record.unsent} could not be "
        "sent, and slow responses may be due to the machine, not the release. Try a lower --rate or --speed."
    )
