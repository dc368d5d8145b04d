"""What would have changed a verdict, found by asking the judge again: other settings, failures, or requests."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from serinus.cli.explain.replay import Replay, first_look, rolls_back
from serinus.lambda_handlers.contract.release import Inconclusive, Verdict
from serinus.lambda_handlers.hooks.judgement import WORDS, Finding
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.probe import Probe
from serinus.lambda_handlers.hooks.rollout_window import Rollout

#: How many times as long a bake is looked at for enough requests.
_LONGEST = 20
_COUNTED = ("errors", "rejected", "non_finite", "slow")


def find_alternatives(replay: Replay) -> Iterator[str]:
    """Sentences on what would have led to another verdict."""
    judgement = replay.judgement
    if replay.probe.failed:
        alone = replay.judge_again(probe=Probe("passed", "")).verdict
        yield f"By its live requests alone, without the golden requests, the verdict would have been: {alone}."
        return
    if rolls_back(judgement) and judgement.evidence >= judgement.decides_at:
        yield from _after_rollback(replay)
    elif judgement.verdict is Verdict.PROMOTE:
        yield from _after_promotion(replay)
    else:
        yield from _without_evidence(replay)


def _after_rollback(replay: Replay) -> Iterator[str]:
    minutes = replay.rollout.minutes
    needed = first_look(lambda count: replay.finds_harm(_first(replay, count)), len(minutes))
    if needed is not None:
        requests = sum(minute.canary.requests for minute in minutes[:needed])
        yield (
            f"The evidence sufficed after {_in_minutes(needed)}, with {requests:,} requests on the new version; "
            "a shorter bake would not have shown it."
        )
    worst = max(replay.judgement.findings, key=lambda finding: finding.evidence)
    if worst.signal in _COUNTED:
        yield from _fewer_events(replay, worst)
    requests = replay.judgement.canary_requests
    later = replay.judge_again(rules=replace(replay.rules, minimum_requests=requests + 1), bake_over=False)
    if not rolls_back(later):
        yield (
            f"With `minimum_requests` above {requests:,} (it is {replay.rules.minimum_requests}) the judge would "
            "have waited for more."
        )


def _fewer_events(replay: Replay, worst: Finding) -> Iterator[str]:
    """How many of the signal's events would have been tolerated, spread as they were."""
    signal = worst.signal
    happened = sum(getattr(minute.canary, signal) for minute in replay.rollout.minutes)

    def undone(count: int) -> bool:
        return replay.finds_harm(_with_events(replay.rollout, signal, count))

    least = first_look(undone, happened)
    if least is not None:
        requests = sum(minute.canary.requests for minute in replay.rollout.minutes)
        yield (
            f"With fewer than about {least:,} instead of {happened:,} {WORDS[signal]} in its {requests:,} "
            "requests, the evidence would not have sufficed."
        )


def _after_promotion(replay: Replay) -> Iterator[str]:
    capital = replay.capital()
    if capital.ends:
        peak = int(capital.total.argmax())
        yield (
            f"The evidence of harm was at most {math.exp(float(capital.total[peak])):,.2g} to 1, after "
            f"{_in_minutes(capital.ends[peak])}; {replay.judgement.decides_at:,.0f} to 1 rolls back."
        )
    requests = replay.judgement.canary_requests
    failed = sum(minute.canary.errors for minute in replay.rollout.minutes)

    def undone(count: int) -> bool:
        return rolls_back(replay.judge_again(rollout=_with_events(replay.rollout, "errors", count)))

    least = first_look(undone, requests)
    if least is not None and least > failed:
        yield (
            f"It would have been rolled back if about {least:,} of its {requests:,} requests had failed; "
            f"{failed:,} did."
        )


def _without_evidence(replay: Replay) -> Iterator[str]:
    setting, rules = replay.settings.inconclusive, replay.rules
    other = Inconclusive.PROMOTE if setting is Inconclusive.ROLL_BACK else Inconclusive.ROLL_BACK
    if replay.bake_over:
        changed = replay.judge_again(rules=replace(rules, inconclusive=other))
        if rolls_back(changed) is not rolls_back(replay.judgement):
            outcome = "rolled back" if rolls_back(changed) else "promoted"
            yield f'It would have been {outcome} with `on_not_enough_evidence = "{other}"` (it is "{setting}").'
    minutes = replay.rollout.minutes
    if not sum(minute.canary.requests for minute in minutes):
        yield "No request reached the new version while it was judged: a share of traffic is needed to judge by."
        return

    def promoted(more: int) -> bool:
        return replay.judge_again(rollout=_continued(replay.rollout, more)).verdict is Verdict.PROMOTE

    more = first_look(promoted, _LONGEST * len(minutes))
    if more is None:
        yield (
            f"Even {_LONGEST} times as many requests like these would not have been enough to promote it: too "
            "many of them fail."
        )
        return
    requests = sum(minute.canary.requests for minute in _continued(replay.rollout, more).minutes[len(minutes) :])
    yield (
        f"The judge needed about {requests:,} more requests like these on the new version to promote it: {more} "
        f"more minutes of `bake_minutes` (it is {replay.settings.bake_minutes}) like these, or a larger share."
    )


def _in_minutes(count: int) -> str:
    return "1 judged minute" if count == 1 else f"{count} judged minutes"


def _first(replay: Replay, count: int) -> Rollout:
    return replace(replay.rollout, minutes=replay.rollout.minutes[:count])


def _continued(rollout: Rollout, more: int) -> Rollout:
    """The rollout with ``more`` minutes, which repeat its own in order."""
    minutes = rollout.minutes
    after = tuple(minutes[index % len(minutes)] for index in range(more))
    return replace(rollout, minutes=minutes + after)


def _with_events(rollout: Rollout, signal: str, count: int) -> Rollout:
    """The rollout with ``count`` of the canary's requests showing the signal's event: spread over the minutes as
    the events were, or as the requests were where there are more of them than happened."""
    minutes = rollout.minutes
    happened = [getattr(minute.canary, signal) for minute in minutes]
    room = [_room(minute.canary, signal) for minute in minutes]
    if count <= sum(happened):
        spread = _share_out(count, happened)
    else:
        free = [most - events for most, events in zip(room, happened, strict=True)]
        added = _share_out(min(count - sum(happened), sum(free)), free)
        spread = [events + more for events, more in zip(happened, added, strict=True)]
    return replace(
        rollout,
        minutes=tuple(_set(minute, signal, events) for minute, events in zip(minutes, spread, strict=True)),
    )


def _room(canary: VersionMinute, signal: str) -> int:
    return canary.invocations if signal == "slow" else canary.requests


def _share_out(count: int, weights: list[int]) -> list[int]:
    """``count`` in whole parts by ``weights``, none above its weight."""
    total, before, shared = sum(weights), 0, []
    for index in range(len(weights)):
        upto = round(count * sum(weights[: index + 1]) / total) if total else 0
        shared.append(upto - before)
        before = upto
    return shared


def _set(minute: Minute, signal: str, events: int) -> Minute:
    changed: dict[str, Any] = {signal: events}
    return replace(minute, canary=replace(minute.canary, **changed))
