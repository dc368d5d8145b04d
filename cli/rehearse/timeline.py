"""The few moments that a release's story turns on, for the report: what its plots mark and its list tells."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from textwrap import shorten

from serinus.cli.rehearse.record import Record
from serinus.cli.rehearse.series import minutes_since_release, stretch
from serinus.cli.release_reader import Deployment
from serinus.lambda_handlers.contract.release import Verdict

#: Letters of a label that fit into a plot.
_LONGEST = 60
_AND = "; "
#: Moments closer than this share of what the report shows are told as one.
_TOGETHER = 0.012
_CHECKS = {"BeforeAllowTraffic": "Check before traffic", "AfterAllowTraffic": "Check after the shift"}
_BRIEF = {Verdict.PROMOTE: "Judge: no sign of harm", Verdict.ROLL_BACK: "Judge: roll back"}
_TONES = {Verdict.PROMOTE: "good", Verdict.ROLL_BACK: "bad"}


@dataclass(frozen=True, slots=True)
class Moment:
    """At ``minute`` (cloud, since the release was ordered): ``brief`` fits beside a line in a plot, ``text`` is a
    sentence; ``tone`` good, bad or plain."""

    minute: float
    brief: str
    text: str
    tone: str = "plain"


def moments(record: Record) -> list[Moment]:
    """The moments in order; what happened at the same time is one."""
    since, until = stretch(record)
    found = sorted((one for one in _all(record) if since <= one.minute <= until), key=lambda one: one.minute)
    told: list[Moment] = []
    for one in found:
        if told and one.minute - told[-1].minute < _TOGETHER * (until - since):
            told[-1] = _join(told[-1], one)
        else:
            told.append(one)
    return [replace(one, brief=_shorten(one.brief)) for one in told]


def _shorten(brief: str) -> str:
    """The end of what happened at once, where all of it is too long: it is what came of the rest."""
    while len(brief) > _LONGEST and _AND in brief:
        brief = brief.partition(_AND)[2]
    return shorten(brief[:1].upper() + brief[1:], _LONGEST, placeholder=" …")


def _join(one: Moment, other: Moment) -> Moment:
    tone = next((tone for tone in ("bad", "good") if tone in (one.tone, other.tone)), "plain")
    return Moment(one.minute, f"{one.brief}{_AND}{_lower(other.brief)}", f"{one.text} {other.text}", tone)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _all(record: Record) -> Iterator[Moment]:
    yield Moment(0.0, "Release ordered", "The release was ordered.")
    release = record.release
    if release is not None:
        yield from _of_checks(record, release)
    yield from _of_verdicts(record)
    yield from _of_alarms(record)
    yield from _of_shift(record)


def _of_checks(record: Record, release: Deployment) -> Iterator[Moment]:
    for phase in release.phases:
        if phase.name in _CHECKS and phase.status == "Failed" and phase.ended_at is not None:
            name = _CHECKS[phase.name]
            yield Moment(
                minutes_since_release(record, phase.ended_at), f"{name}: failed", f"{name} failed.", "bad"
            )
        elif phase.name == "BeforeAllowTraffic" and phase.started_at is not None:
            at = minutes_since_release(record, phase.started_at)
            text = f"The check before traffic began: golden requests to version {release.canary}."
            yield Moment(at, "Check before traffic", text)


def _of_verdicts(record: Record) -> Iterator[Moment]:
    """The judge's first decision of each kind; that it cannot tell yet is no decision."""
    told = set()
    for said in record.verdicts:
        verdict = Verdict(said.verdict)
        if said.canary == record.canary and verdict in _BRIEF and verdict not in told:
            told.add(verdict)
            at = minutes_since_release(record, said.at)
            yield Moment(at, _BRIEF[verdict], f"The judge: {said.reason}.", _TONES[verdict])


def _of_alarms(record: Record) -> Iterator[Moment]:
    """Those that fired until the release was over; afterwards they watch what is gone."""
    release = record.release
    over = release.completed_at if release and release.completed_at else record.deployed_at
    for one in record.happenings:
        if one.kind == "alarm" and one.at <= over:
            at, brief = minutes_since_release(record, one.at), one.text.partition(".")[0]
            yield Moment(at, f"Alarm: {_lower(brief)}", f"Alarm: {_lower(one.text)}", "bad")


def _of_shift(record: Record) -> Iterator[Moment]:
    if record.shift is None:
        return
    began, ended = (minutes_since_release(record, at) for at in record.shift)
    weights = [seen.alias.weight for seen in record.shares if seen.alias.canary]
    share = f"{weights[0]:.0%} of requests" if weights else "Requests"
    yield Moment(
        began, f"{share} meet version {record.canary}", f"From now on {share} meet version {record.canary}."
    )
    if record.final == record.stable:
        if record.all_moved_at is not None:
            yield Moment(
                minutes_since_release(record, record.all_moved_at),
                f"All on version {record.canary}",
                f"The shift was over before it was stopped: all requests meet version {record.canary}.",
                "bad",
            )
        yield Moment(
            ended,
            f"Back on version {record.stable}",
            f"All requests meet version {record.stable} again, without a person's help.",
            "good",
        )
    else:
        yield Moment(
            ended,
            f"All on version {record.final}",
            f"The shift is over: all requests meet version {record.final}.",
            "good",
        )
