"""How CodeDeploy moves the alias for a strategy: by a predefined configuration, or by steps of our own.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
"""

from dataclasses import dataclass
from typing import Literal

from serinus.infra.settings import RolloutSettings

_PREFIX = "CodeDeployDefault.Lambda"
ALL_AT_ONCE = f"{_PREFIX}AllAtOnce"
#: Minutes for which AWS has a configuration of 10 percent.
_CANARY_MINUTES = (5, 10, 15, 30)
_LINEAR_MINUTES = (1, 2, 3, 10)
_PREDEFINED_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Steps:
    """A configuration of our own: ``percent`` of traffic, and then all or as much again after each interval."""

    kind: Literal["TimeBasedCanary", "TimeBasedLinear"]
    percent: int
    interval_minutes: int


@dataclass(frozen=True, slots=True)
class Shift:
    """``predefined`` names AWS's configuration, else ``steps`` define one. ``minutes`` pass from the first shifted
    request to the last step; ``judged_minutes`` until the end of the bake."""

    predefined: str | None
    steps: Steps | None
    minutes: int
    judged_minutes: int
    first_share_percent: int


def shift_of(rollout: RolloutSettings) -> Shift:
    """The shift that the settings define."""
    if rollout.strategy == "canary":
        return _canary(rollout.share_percent, rollout.bake_minutes)
    if rollout.strategy == "linear":
        return _linear(rollout.step_percent, rollout.interval_minutes)
    judged = rollout.bake_minutes if rollout.strategy == "blue_green" else 0
    return Shift(ALL_AT_ONCE, None, minutes=0, judged_minutes=judged, first_share_percent=100)


def _canary(percent: int, minutes: int) -> Shift:
    if percent == _PREDEFINED_PERCENT and minutes in _CANARY_MINUTES:
        return Shift(f"{_PREFIX}Canary10Percent{minutes}Minutes", None, minutes, minutes, percent)
    return Shift(None, Steps("TimeBasedCanary", percent, minutes), minutes, minutes, percent)


def _linear(percent: int, interval: int) -> Shift:
    minutes = (-(-100 // percent) - 1) * interval
    if percent == _PREDEFINED_PERCENT and interval in _LINEAR_MINUTES:
        name = f"{_PREFIX}Linear10PercentEvery{interval}Minute{'s' if interval > 1 else ''}"
        return Shift(name, None, minutes, minutes, percent)
    return Shift(None, Steps("TimeBasedLinear", percent, interval), minutes, minutes, percent)
