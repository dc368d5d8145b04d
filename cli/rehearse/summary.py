"""The story in words that need no knowledge of AWS."""

from serinus.cli.rehearse.outcome import Outcome, Story
from serinus.cli.rehearse.record import Record

_HEADLINES = {
    Outcome.PROMOTED: "Promoted",
    Outcome.ROLLED_BACK: "Rolled back",
    Outcome.NOT_ENOUGH_EVIDENCE: "Promoted without enough evidence",
    Outcome.JUDGED_TOO_LATE: "Promoted against the judge's word",
}


#: Share of the ordered requests beyond which it is worth saying that this machine could not send them.
_BUSY_SHARE = 0.2


def headline(story: Story) -> str:
    """Two or three words."""
    return _HEADLINES[story.outcome]


def summary(record: Record, story: Story) -> list[str]:
    """A few sentences: what happened, why, and whom it touched."""
    said = (_what(record, story), story.reason, _touched(story), _busy(record, story))
    return [sentence for sentence in said if sentence]


def _what(record: Record, story: Story) -> str:
    candidate = f"version {record.canary}" if record.canary else "the candidate"
    if story.outcome is not Outcome.ROLLED_BACK:
        return f"The release of {record.play.endpoint} as {candidate} now serves all requests."
    if story.shift_minutes is None:
        return (
            f"The release of {record.play.endpoint} as {candidate} was stopped before any request met it; "
            f"version {record.stable} served throughout."
        )
    return (
        f"The release of {record.play.endpoint} as {candidate} was undone without a person after "
        f"{story.shift_minutes:.1f} minutes; version {record.stable} serves all requests again."
    )


def _busy(record: Record, story: Story) -> str:
    """That the verdict may be this machine's fault, where it could not send what was ordered."""
    if record.held_back <= _BUSY_SHARE * (story.requests + record.held_back):
        return ""
    return (
        f"This machine was too busy for {record.play.rate:g} requests a second: {record.held_back} could not be "
        "sent, and slow answers may be its fault, not the release's. A lower --rate or --speed tells more."
    )


def _touched(story: Story) -> str:
    if story.outcome is Outcome.ROLLED_BACK and story.shift_minutes is not None:
        # Whether it was bad is the judge's to say, who may only have lacked evidence.
        met = f"{story.met_canary} of {story.during_shift} requests ({story.met_share:.1%}) met the new version"
        back = ""
        if story.minutes_bad_to_back is not None:
            back = f"; {story.minutes_bad_to_back:.1f} minutes from the first bad answer until the alias was back"
        return f"{met}{back}. {story.failed} failed."
    if story.failed:
        return f"{story.failed} of {story.requests} requests failed."
    return f"All {story.requests} requests were answered; none was lost or failed."
