"""Traffic shifting: predefined and custom deployment configurations, and their steps.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
"""

import uuid
from typing import Any

from serinus.offline.core.errors import AwsError
from serinus.offline.services.codedeploy.records import DeploymentConfig, TrafficShift

PREFIX = "CodeDeployDefault."
ALL_AT_ONCE = f"{PREFIX}LambdaAllAtOnce"
LONGEST_SHIFT_MINUTES = 2880
LARGEST_STEP_PERCENT = 99


def _canary(percent: int, minutes: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedCanary",
        "timeBasedCanary": {"canaryPercentage": percent, "canaryInterval": minutes},
    }


def _linear(percent: int, minutes: int) -> dict[str, Any]:
    return {
        "type": "TimeBasedLinear",
        "timeBasedLinear": {"linearPercentage": percent, "linearInterval": minutes},
    }


def predefined() -> dict[str, DeploymentConfig]:
    """The predefined configurations for Lambda, by name."""
    routings = {
        ALL_AT_ONCE: {"type": "AllAtOnce"},
        **{f"{PREFIX}LambdaCanary10Percent{minutes}Minutes": _canary(10, minutes) for minutes in (5, 10, 15, 30)},
        f"{PREFIX}LambdaLinear10PercentEvery1Minute": _linear(10, 1),
        **{f"{PREFIX}LambdaLinear10PercentEvery{minutes}Minutes": _linear(10, minutes) for minutes in (2, 3, 10)},
    }
    return {
        name: DeploymentConfig(str(uuid.uuid5(uuid.NAMESPACE_URL, name)), name, routing, 0.0)
        for name, routing in routings.items()
    }


def check_routing(routing: dict[str, Any]) -> None:
    """Raise InvalidTrafficRoutingConfigurationException for steps that AWS rejects."""
    kind = routing.get("type")
    if kind == "AllAtOnce":
        return
    if kind == "TimeBasedCanary":
        canary = routing.get("timeBasedCanary", {})
        percent, minutes, steps = canary.get("canaryPercentage"), canary.get("canaryInterval"), 1
    elif kind == "TimeBasedLinear":
        linear = routing.get("timeBasedLinear", {})
        percent, minutes = linear.get("linearPercentage"), linear.get("linearInterval")
        steps = -(-100 // percent) - 1 if percent else 0
    else:
        raise _invalid(f"its type is {kind!r}; it must be TimeBasedCanary, TimeBasedLinear or AllAtOnce")
    if percent is None or not 1 <= percent <= LARGEST_STEP_PERCENT:
        raise _invalid(f"a step shifts {percent} percent; it must be from 1 to {LARGEST_STEP_PERCENT}")
    if minutes is None or minutes < 1 or steps * minutes > LONGEST_SHIFT_MINUTES:
        raise _invalid(
            f"its {steps} intervals of {minutes} minutes must each have at least 1, and together at most "
            f"{LONGEST_SHIFT_MINUTES} minutes"
        )


def shifts_of(routing: dict[str, Any]) -> list[TrafficShift]:
    """The steps, from the start of AllowTraffic to all traffic on the target."""
    if routing["type"] == "TimeBasedCanary":
        canary = routing["timeBasedCanary"]
        return [
            TrafficShift(0.0, canary["canaryPercentage"] / 100),
            TrafficShift(60.0 * canary["canaryInterval"], 1.0),
        ]
    if routing["type"] == "TimeBasedLinear":
        percent, interval_s = (
            routing["timeBasedLinear"]["linearPercentage"],
            60.0 * routing["timeBasedLinear"]["linearInterval"],
        )
        count = -(-100 // percent)
        return [TrafficShift(step * interval_s, min(100, (step + 1) * percent) / 100) for step in range(count)]
    return [TrafficShift(0.0, 1.0)]


def _invalid(why: str) -> AwsError:
    return AwsError(
        "InvalidTrafficRoutingConfigurationException", f"The traffic routing is not valid: {why}.", status=400
    )
