"""Whether an endpoint's traffic can show the judge a bad version, at the rates that `scripts/bench judge`
measures."""

import math
from collections.abc import Iterator

from serinus.infra.lint.figures import requests_in_words
from serinus.infra.lint.finding import Problem
from serinus.infra.lint.rollout_rules import length_key
from serinus.infra.settings import Endpoint, RolloutSettings, Settings
from serinus.infra.traffic_shift import shift_of
from serinus.lambda_handlers.contract.release import last_word_lead

#: Requests of a canary with a share of 10 % by which the judge detects a version that fails so often, where the
#: stable version fails 1 in 100, in four releases of five: 80 % quantiles of `scripts/bench judge`.
REQUESTS_TO_DETECT = {"every request": 8, "1 in 5": 35, "1 in 10": 80, "1 in 20": 220, "1 in 50": 2600}
#: With this fault undetected, lint warns.
LARGEST_UNSEEN = "1 in 10"
_MEASURED_SHARE = 0.10
#: Minutes that cannot be judged: part of the first one, and the last two until their metrics are complete.
_UNJUDGED_MINUTES = 3


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
    per_request = canary_requests(rollout)
    unseen = [fault for fault, requests in REQUESTS_TO_DETECT.items() if traffic * per_request < requests]
    if not per_request or LARGEST_UNSEEN not in unseen:
        return  # without any minute to compare, another rule asks for a longer bake
    seen = [fault for fault in REQUESTS_TO_DETECT if fault not in unseen]
    detects = (
        f"detects a version that fails {seen[-1]}, but not one that fails {unseen[0]},"
        if seen
        else "does not even detect a version that fails every request"
    )
    enough = math.ceil(REQUESTS_TO_DETECT[LARGEST_UNSEEN] / per_request)
    larger = rollout.strategy == "canary" and rollout.share_percent < 50
    yield Problem(
        "warning",
        ("rollout", "requests_per_minute"),
        f"with {requests_in_words(traffic)} a minute the judge {detects} before all traffic moves; {enough} would "
        "show 1 in 10",
        f"Set a longer {length_key(rollout)[1]}"
        + (" or a larger share_percent" if larger else "")
        + ("" if rollout.on_not_enough_evidence == "roll_back" else ', or on_not_enough_evidence = "roll_back"'),
    )


def canary_requests(rollout: RolloutSettings) -> float:
    """For each request a minute, the canary's requests that the judge can compare before its last word, in
    requests of a canary with a share of 10 %: one tells the less, the fewer of the stable version's stand beside
    it."""
    shift = shift_of(rollout)
    judged = shift.judged_minutes - last_word_lead(shift.judged_minutes) - _UNJUDGED_MINUTES
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
