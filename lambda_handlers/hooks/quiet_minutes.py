"""Merges minutes with hardly any requests: a minute with one request of the canary can say little, a pair more."""

from collections.abc import Sequence
from dataclasses import replace

from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute

#: Requests of each version that a comparison waits for.
LEAST_REQUESTS = 2


def merge_quiet(minutes: Sequence[Minute]) -> list[tuple[Minute, int]]:
    """Minutes in order, quiet neighbours merged, each with the number of minutes up to its end.

    A minute is merged with those after it until both versions have `LEAST_REQUESTS`, or the weights change. The
    rule looks at counts of requests alone, so that each merged minute is as fair a comparison as a single one. The
    last ones may still wait for others, and are left out.
    """
    merged: list[tuple[Minute, int]] = []
    waiting: list[Minute] = []
    for count, minute in enumerate(minutes, start=1):
        if waiting and waiting[0].step != minute.step:
            merged.append((_merge(waiting), count - 1))
            waiting = []
        waiting.append(minute)
        both = _merge(waiting)
        if min(both.canary.requests, both.stable.requests) >= LEAST_REQUESTS:
            merged.append((both, count))
            waiting = []
    return merged


def _merge(minutes: Sequence[Minute]) -> Minute:
    if len(minutes) == 1:
        return minutes[0]
    return replace(
        minutes[0],
        canary=VersionMinute.total(minute.canary for minute in minutes),
        stable=VersionMinute.total(minute.stable for minute in minutes),
        young=any(minute.young for minute in minutes),
    )
