"""The answer: what decided a release, by what evidence and thresholds, and what would have changed that."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from serinus.cli.explain.alternatives import find_alternatives
from serinus.cli.explain.evidence import AFTER, BEFORE, JudgeLook, ReleaseEvidence
from serinus.cli.explain.replay import MINUTES_KEPT_S, NoReplay, Replay, disagreement
from serinus.cli.rehearse.alarm_titles import named_in, title
from serinus.lambda_handlers.contract.release import Verdict
from serinus.lambda_handlers.hooks.judgement import WORDS


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One signal in words: both versions' shares, and the factor by which its evidence grew."""

    signal: str
    canary: str
    stable: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Sentences, in the order in which they are read. ``tone`` is "good", "bad" or "plain"."""

    headline: str
    tone: str
    subtitle: str
    why: tuple[str, ...]
    signals: tuple[SignalRow, ...]
    thresholds: tuple[str, ...]
    alternatives: tuple[str, ...]
    replay: tuple[str, ...]
    not_kept: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def explain(endpoint: str, evidence: ReleaseEvidence, done: Replay | NoReplay) -> Explanation:
    """The explanation of a release of ``endpoint``."""
    release = evidence.release
    headline, tone = _headline(evidence)
    replayed = done if isinstance(done, Replay) else None
    return Explanation(
        headline=headline,
        tone=tone,
        subtitle=(
            f"{endpoint}, release {release.id}: version {release.canary} after version {release.stable}, "
            f"{_when(release.created_at)} to {_when(release.completed_at) if release.completed_at else 'now'}"
        ),
        why=tuple(_why(evidence)),
        signals=() if replayed is None else tuple(_signals(replayed)),
        thresholds=() if replayed is None else tuple(_thresholds(replayed)),
        alternatives=() if replayed is None else tuple(find_alternatives(replayed)),
        replay=tuple(_describe_replay(evidence, done)),
        not_kept=tuple(_not_kept(evidence)),
    )


def _headline(evidence: ReleaseEvidence) -> tuple[str, str]:
    release = evidence.release
    if release.under_way:
        return "Under way", "plain"
    if not release.rolled_back:
        return "Promoted", "good"
    return "Rolled back", "bad"


def _why(evidence: ReleaseEvidence) -> Iterator[str]:
    """The causes, the first one first."""
    release = evidence.release
    before, after = evidence.report_by(BEFORE), evidence.report_by(AFTER)
    if before is not None and not before.passed:
        yield f"The pre-traffic check failed, so no live request reached the new version: {before.reason}."
        return
    look = evidence.decisive_look
    if look is not None:
        yield _describe_look(look, evidence)
    if after is not None and not after.passed:
        yield f"The post-traffic check failed: {after.reason}."
    if release.rolled_back:
        yield _describe_end(evidence)
    elif release.under_way:
        yield "CodeDeploy is still shifting or watching traffic; nothing is decided yet."
    elif look is not None and look.verdict == Verdict.NOT_ENOUGH_EVIDENCE:
        yield "Nothing stopped it, so CodeDeploy promoted it: a lack of evidence is no proof that it is good."
    else:
        yield "No alarm fired and no check failed, so CodeDeploy promoted it."


def _describe_look(look: JudgeLook, evidence: ReleaseEvidence) -> str:
    traffic = next((phase for phase in evidence.release.phases if phase.name == "AllowTraffic"), None)
    began = traffic.started_at if traffic is not None else None
    after = "" if began is None else f", {_duration(look.at - began)} after traffic began to shift"
    verdicts = "verdict that decided" if look.is_final else "last verdict"
    return f"The judge's {verdicts} ({_when(look.at)}{after}): {look.verdict}: {look.reason}."


def _describe_end(evidence: ReleaseEvidence) -> str:
    """What made CodeDeploy return the traffic, in its own words but for the names of alarms."""
    error = evidence.release.error
    names = named_in(error)
    if names:
        return f"CodeDeploy returned all traffic when these alarms fired: {'; '.join(map(title, names))}."
    return f"CodeDeploy returned all traffic: {error.rstrip('.') or 'it names no reason'}."


def _signals(replayed: Replay) -> Iterator[SignalRow]:
    judgement = replayed.judgement
    for finding in judgement.findings:
        yield SignalRow(
            WORDS[finding.signal],
            _percent(finding.canary_share),
            _percent(finding.stable_share),
            f"{finding.evidence:,.3g} to 1",
        )
    requests = (f"{judgement.canary_requests:,} requests", f"{judgement.stable_requests:,} requests")
    yield SignalRow("all signals together", *requests, f"{judgement.evidence:,.3g} to 1")


def _thresholds(replayed: Replay) -> Iterator[str]:
    judgement, settings = replayed.judgement, replayed.settings
    yield (
        f"Roll back: evidence of harm of {judgement.decides_at:,.0f} to 1 in all signals together, and at least "
        f"{replayed.rules.minimum_requests} requests on the new version (`minimum_requests`)."
    )
    yield (
        "Promote: no such evidence, and enough requests to show that the new version fails at most "
        f"{replayed.rules.error_margin:.0%} more often than the stable one; it was known to fail less than "
        f"{judgement.error_share_below:.1%}."
    )
    yield f'Otherwise, at the end of the bake: `on_not_enough_evidence = "{settings.inconclusive}"`.'
    yield (
        f"Strategy {settings.strategy}, bake of {settings.bake_minutes} minutes, {settings.share:.0%} of requests "
        f"at first; golden requests at that look: {replayed.probe.outcome}."
    )


def _describe_replay(evidence: ReleaseEvidence, done: Replay | NoReplay) -> Iterator[str]:
    if isinstance(done, NoReplay):
        yield f"The verdict was not replayed: {done.reason}."
        return
    differs = disagreement(evidence, done)
    minutes = len(done.rollout.minutes)
    look = "the look that decided" if evidence.decisive_look is not None else "the end of the release"
    yield f"The judge's own code, run again on {minutes} recorded minutes as of {look} ({_when(done.at)})."
    if evidence.decisive_look is None:
        yield f"No verdict is in the logs; the replay's is: {done.judgement.verdict}: {done.judgement.reason}."
    elif differs is None:
        yield "It comes to the same verdict, by the same evidence."
    else:
        yield f"THE REPLAY DISAGREES with what was decided: {differs}."
        yield (
            "Metrics that arrived after that look, or a newer version of this command, may explain it; the logged "
            "verdict is the one that counted."
        )
    if evidence.settings_are_current:
        yield "It uses the judge's settings of today: those of the release are not in its log."


def _not_kept(evidence: ReleaseEvidence) -> Iterator[str]:
    release = evidence.release
    if not evidence.reports and not evidence.looks:
        yield "The logs hold nothing about this release: `log_retention_days` has passed, or they were deleted."
    elif not evidence.looks and evidence.settings is not None:
        yield "The logs hold no verdict of the judge on this release."
    if evidence.now - release.created_at > MINUTES_KEPT_S:
        yield "CloudWatch keeps values by the minute for 15 days, so the judge's comparison cannot be repeated."


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"


def _when(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
