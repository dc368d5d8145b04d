"""The few events that decided a release, for the report: its plots mark them and its list explains them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from textwrap import shorten

from serinus.cli.rehearse.record import RehearsalRecord
from serinus.cli.rehearse.series import minutes_since_release, report_span
from serinus.cli.release_reader import AliasDeployment
from serinus.lambda_handlers.contract.release import Verdict

#: Characters of a label that fit into a plot.
_LONGEST = 60
_AND = "; "
#: Events closer together than this share of the report's time span are merged.
_MERGE_SHARE = 0.012
_CHECKS = {"BeforeAllowTraffic": "Pre-traffic check", "AfterAllowTraffic": "Post-traffic check"}
_BRIEF = {Verdict.PROMOTE: "Judge: no sign of harm", Verdict.ROLL_BACK: "Judge: roll back"}
_TONES = {Verdict.PROMOTE: "good", Verdict.ROLL_BACK: "bad"}


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """At ``minute`` (cloud minutes since the release started): ``brief`` fits beside a line in a plot, ``text`` is
    a sentence; ``tone`` good, bad or plain."""

    minute: float
    brief: str
    text: str
    tone: str = "plain"


def timeline_events(record: RehearsalRecord) -> list[TimelineEvent]:
    """The events in order of time; those at nearly the same time are merged."""
    since, until = report_span(record)
    in_span = sorted(
        (event for event in _all_events(record) if since <= event.minute <= until), key=lambda event: event.minute
    )
    merged: list[TimelineEvent] = []
    for event in in_span:
        if merged and event.minute - merged[-1].minute < _MERGE_SHARE * (until - since):
            merged[-1] = _join(merged[-1], event)
        else:
            merged.append(event)
    return [replace(event, brief=_shorten(event.brief)) for event in merged]


def _shorten(brief: str) -> str:
    """``brief``, without its first parts if it is too long: the last one is the result of the others."""
    while len(brief) > _LONGEST and _AND in brief:
        brief = brief.partition(_AND)[2]
    return shorten(brief[:1].upper() + brief[1:], _LONGEST, placeholder=" …")


def _join(first: TimelineEvent, second: TimelineEvent) -> TimelineEvent:
    tone = next((tone for tone in ("bad", "good") if tone in (first.tone, second.tone)), "plain")
    return TimelineEvent(
        first.minute, f"{first.brief}{_AND}{_lower(second.brief)}", f"{first.text} {second.text}", tone
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _all_events(record: RehearsalRecord) -> Iterator[TimelineEvent]:
    yield TimelineEvent(0.0, "Release started", "The release was started.")
    release = record.release
    if release is not None:
        yield from _check_events(record, release)
    yield from _verdict_events(record)
    yield from _alarm_events(record)
    yield from _shift_events(record)


def _check_events(record: RehearsalRecord, release: AliasDeployment) -> Iterator[TimelineEvent]:
    for phase in release.phases:
        if phase.name in _CHECKS and phase.status == "Failed" and phase.ended_at is not None:
            name = _CHECKS[phase.name]
            yield TimelineEvent(
                minutes_since_release(record, phase.ended_at), f"{name}: failed", f"{name} failed.", "bad"
            )
        elif phase.name == "BeforeAllowTraffic" and phase.started_at is not None:
            at = minutes_since_release(record, phase.started_at)
            text = f"The pre-traffic check started: golden requests to version {release.canary}."
            yield TimelineEvent(at, "Pre-traffic check", text)


def _verdict_events(record: RehearsalRecord) -> Iterator[TimelineEvent]:
    """The judge's first decision of each kind; "not enough evidence" is not a decision."""
    seen = set()
    for verdict_of_judge in record.verdicts:
        verdict = Verdict(verdict_of_judge.verdict)
        if verdict_of_judge.canary == record.canary and verdict in _BRIEF and verdict not in seen:
            seen.add(verdict)
            at = minutes_since_release(record, verdict_of_judge.at)
            yield TimelineEvent(at, _BRIEF[verdict], f"The judge: {verdict_of_judge.reason}.", _TONES[verdict])


def _alarm_events(record: RehearsalRecord) -> Iterator[TimelineEvent]:
    """Alarms that fired before the release ended; later they watch a version that no longer serves."""
    release = record.release
    over = release.completed_at if release and release.completed_at else record.deployed_at
    for event in record.observed:
        if event.kind == "alarm" and event.at <= over:
            at, brief = minutes_since_release(record, event.at), event.text.partition(".")[0]
            yield TimelineEvent(at, f"Alarm: {_lower(brief)}", f"Alarm: {_lower(event.text)}", "bad")


def _shift_events(record: RehearsalRecord) -> Iterator[TimelineEvent]:
    if record.shift is None:
        return
    began, ended = (minutes_since_release(record, at) for at in record.shift)
    weights = [seen.alias.weight for seen in record.alias_samples if seen.alias.canary]
    # Without weights the shift is over as it starts: only its end is an event, unless it was stopped before.
    if weights:
        share = f"{weights[0]:.0%} of requests"
        yield TimelineEvent(
            began, f"{share} to version {record.canary}", f"{share} are now sent to version {record.canary}."
        )
    elif record.fully_shifted_at is None and record.final == record.stable:
        yield TimelineEvent(
            began, f"Shift to version {record.canary}", f"The shift to version {record.canary} started."
        )
    if record.final == record.stable:
        if record.fully_shifted_at is not None:
            yield TimelineEvent(
                minutes_since_release(record, record.fully_shifted_at),
                f"All on version {record.canary}",
                f"All requests are now sent to version {record.canary}, before the release is stopped.",
                "bad",
            )
        yield TimelineEvent(
            ended,
            f"Back on version {record.stable}",
            f"All requests are sent to version {record.stable} again: the rollback was automatic.",
            "good",
        )
    else:
        yield TimelineEvent(
            ended,
            f"All on version {record.final}",
            f"The shift is complete: all requests are sent to version {record.final}.",
            "good",
        )
