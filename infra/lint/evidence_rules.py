"""Whether an endpoint's traffic can show the judge a bad version, at the rates that `scripts/bench judge`
measures."""

import math
from collections.abc import Iterator

from serinus.infra.lint.finding import Problem
from serinus.infra.lint.rollout_rules import length_key
from serinus.infra.settings import Endpoint, RolloutSettings, Settings
from serinus.infra.traffic_shift import shift_of
from serinus.lambda_handlers.contract.release import LAST_WORD_MINUTES

#: Requests of a canary with a share of 10 % by which the judge detects a version that fails so often, where the
#: stable version fails 1 in 100, in four releases of five: 80 % quantiles of `scripts/bench judge`.
REQUESTS_TO_DETECT = {"every request": 8, "1 in 5": 35, "1 in 10": 80, "1 in 20": 220, "1 in 50": 2440}
#: With this fault undetected, lint warns.
LARGEST_UNSEEN = "1 in 10"
_MEASURED_SHARE = 0.10
#: Minutes that cannot be judged: part of the first one, and the last one until its metrics are complete.
_UNJUDGED_MINUTES = 2


def check_steps(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """Steps so short that no minute lies between two of them."""
    rollout = endpoint.settings.rollout
    if rollout.strategy == "linear" and rollout.interval_minutes == 1:
        yield Problem(
            "warning",
            ("rollout", "interval_minutes"),
            "the judge compares versions only in minutes in which the weights do not change; with a step every "
            "minute there are none",
            "Set 2 or more",
        )


def check_evidence(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A bake in which the stated traffic shows little."""
    rollout = endpoint.settings.rollout
    traffic = rollout.requests_per_minute
    if traffic is None or rollout.strategy not in ("canary", "linear"):
        return
    minutes = comparable_minutes(rollout)
    unseen = [fault for fault, requests in REQUESTS_TO_DETECT.items() if traffic * minutes < requests]
    if LARGEST_UNSEEN not in unseen:
        return
    seen = [fault for fault in REQUESTS_TO_DETECT if fault not in unseen]
    detects = (
        f"detects a version that fails {seen[-1]}, but not one that fails {unseen[0]},"
        if seen
        else "does not even detect a version that fails every request"
    )
    enough = f"; {math.ceil(REQUESTS_TO_DETECT[LARGEST_UNSEEN] / minutes)} would show 1 in 10" if minutes else ""
    larger = ", a larger share_percent" if rollout.strategy == "canary" else ""
    yield Problem(
        "warning",
        ("rollout", "requests_per_minute"),
        f"with {traffic} requests a minute the judge {detects} before all traffic moves{enough}",
        f'Set a longer {length_key(rollout)[1]}{larger}, or on_not_enough_evidence = "roll_back"',
    )


def comparable_minutes(rollout: RolloutSettings) -> float:
    """Whole minutes of the shift that the judge can compare before its last word, in minutes of a canary with a
    share of 10 %: a request of either version tells the more, the more evenly traffic is split."""
    shift = shift_of(rollout)
    judged = shift.judged_minutes - min(LAST_WORD_MINUTES, shift.judged_minutes / 2) - _UNJUDGED_MINUTES
    interval = rollout.interval_minutes if rollout.strategy == "linear" else math.inf
    measured = 1 - _MEASURED_SHARE
    total = 0.0
    for minute in range(max(0, math.floor(judged))):
        step = math.floor(minute / interval)
        if step and minute % interval == 0:
            continue  # the minute of a step
        share = min(1.0, shift.first_share_percent / 100 * (step + 1))
        total += share * (1 - share) / measured
    return round(total, 6)
