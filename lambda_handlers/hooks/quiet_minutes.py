"""Merges minutes with hardly any requests: a minute with one request of the canary can say little, a pair more."""

from collections.abc import Sequence
from dataclasses import replace

from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute

#: Requests of the version with the smaller share that a comparison waits for, by its share.
LEAST_REQUESTS = 2


def merge_quiet(minutes: Sequence[Minute]) -> list[tuple[Minute, int]]:
    """Minutes in order, quiet neighbours merged, each with the number of minutes up to its end.

    A minute is merged with those after it until `LEAST_REQUESTS` of both versions' requests are due to each of
    them by the weights, or the weights change. The rule looks at the requests of both versions together: a rule
    that looked at how they were split would end groups when trouble comes, and charge it to the canary. Minutes at
    the end that are still too few are left out.
    """
    merged: list[tuple[Minute, int]] = []
    waiting: list[Minute] = []
    due = 0.0
    for count, minute in enumerate(minutes, start=1):
        if waiting and waiting[0].step != minute.step:
            merged.append((_merge(waiting), count - 1))
            waiting, due = [], 0.0
        waiting.append(minute)
        due += (minute.canary.requests + minute.stable.requests) * min(minute.share, 1 - minute.share)
        if due >= LEAST_REQUESTS:
            merged.append((_merge(waiting), count))
            waiting, due = [], 0.0
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
