"""A rehearsal as data: what `--json` prints."""

from dataclasses import asdict
from typing import Any

from serinus.cli.rehearse.outcome import Story
from serinus.cli.rehearse.record import Record
from serinus.cli.rehearse.summary import headline, summary


def as_data(record: Record, story: Story) -> dict[str, Any]:
    """The story as JSON; every time is in cloud seconds since the release was ordered."""

    def since(at: float | None) -> float | None:
        return None if at is None else round(at - record.released_at, 1)

    share, shift = story.canary_share, record.shift
    return {
        "verdict": story.outcome.name.lower().replace("_", " "),
        "exit_code": story.outcome.value,
        "headline": headline(story),
        "summary": summary(record, story),
        "rehearsed": asdict(record.play),
        "stable_version": record.stable,
        "candidate_version": record.canary,
        "final_version": record.final,
        "requests": story.requests,
        "failed_requests": story.failed,
        "requests_not_sent": record.held_back,
        "real_s": {
            **{name: round(took, 1) for name, took in record.laps_s.items()},
            "shift": None if record.shift_real_s is None else round(record.shift_real_s, 1),
            "slowed": round(record.slowed_s, 1),
            "held": round(record.held_s, 1),
        },
        "requests_by_version_and_status": story.by_version,
        "requests_during_shift": story.during_shift,
        "requests_that_met_the_candidate": story.met_canary,
        "share_that_met_the_candidate": round(story.met_share, 4),
        "lambda_counted": {version: asdict(counted) for version, counted in record.metered.items()},
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
        if story.minutes_bad_to_back is None
        else round(story.minutes_bad_to_back, 2),
        "events": [
            {"cloud_s": since(one.at), "kind": one.kind, "text": one.text, "tone": one.tone}
            for one in record.happenings
        ],
    }
