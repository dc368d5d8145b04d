"""A rehearsal as data: what `--json` prints."""

from dataclasses import asdict
from typing import Any

from serinus.cli.rehearse.outcome import RehearsalResult
from serinus.cli.rehearse.record import RehearsalRecord
from serinus.cli.rehearse.summary import headline, summary


def as_data(record: RehearsalRecord, result: RehearsalResult) -> dict[str, Any]:
    """The story as JSON; every time is in cloud seconds since the release was ordered."""

    def since(at: float | None) -> float | None:
        return None if at is None else round(at - record.released_at, 1)

    share, shift = result.canary_share, record.shift
    return {
        "verdict": result.outcome.name.lower().replace("_", " "),
        "exit_code": result.outcome.value,
        "headline": headline(result),
        "reason": result.reason,
        "summary": summary(record, result),
        "rehearsed": _settings(record),
        "stable_version": record.stable,
        "candidate_version": record.canary,
        "final_version": record.final,
        "requests": result.requests,
        "failed_requests": result.failed,
        "requests_not_sent": record.unsent,
        "real_s": {
            **{name: round(took, 1) for name, took in record.laps_s.items()},
            "shift": None if record.shift_real_s is None else round(record.shift_real_s, 1),
            "slowed": round(record.slowed_s, 1),
            "held": round(record.held_s, 1),
        },
        "requests_by_version_and_status": result.by_version,
        "requests_during_shift": result.shift_requests,
        "requests_that_met_the_candidate": result.canary_requests,
        "share_that_met_the_candidate": round(result.shift_canary_share, 4),
        "lambda_counted": {version: asdict(counted) for version, counted in record.invocations_by_version.items()},
        "canary_share": None
        if share is None
        else {
            "requests": share.requests,
            "share": round(share.share, 4),
            "weight": share.weight,
            "standard_error": round(share.standard_error, 4),
            "within_three_standard_errors": share.as_weighted,
        },
        "shift_began_s": since(shift[0]) if shift else None,
        "shift_ended_s": since(shift[1]) if shift else None,
        "minutes_from_first_bad_answer_to_alias_back": None
        if result.recovery_minutes is None
        else round(result.recovery_minutes, 2),
        "events": [
            {"cloud_s": since(event.at), "kind": event.kind, "text": event.text, "tone": event.tone}
            for event in record.observed
        ],
    }


def _settings(record: RehearsalRecord) -> dict[str, Any]:
    settings = asdict(record.settings)
    return {"candidate_given": settings.pop("candidate_named"), **settings}
