"""When a rollout's bake begins and ends, and when the judge's last verdict is due."""

import math

from serinus.lambda_handlers.contract.release import LAST_WORD_MINUTES, Strategy
from serinus.lambda_handlers.hooks.deployment import Deployment
from serinus.lambda_handlers.hooks.settings import Settings

_MINUTE_S = 60


def start_of(deployment: Deployment, settings: Settings) -> float:
    """When the canary received its first requests, epoch seconds: with blue_green at the switch."""
    start = deployment.switched_at if settings.strategy is Strategy.BLUE_GREEN else deployment.traffic_at
    return start if start is not None else math.inf


def end_of(deployment: Deployment, settings: Settings) -> float:
    """When the bake is over by its settings, epoch seconds."""
    return start_of(deployment, settings) + settings.bake_minutes * _MINUTE_S


def last_word_at(deployment: Deployment, settings: Settings) -> float:
    """When the last verdict is due, early enough for its alarm to stop CodeDeploy, epoch seconds.

    With blue_green the judge itself reports to CodeDeploy, and uses all of the bake. A bake that is too short for
    the alarm is judged for at least half of it; the hook after traffic then stops a bad release.
    """
    lead = 0.0 if settings.strategy is Strategy.BLUE_GREEN else min(LAST_WORD_MINUTES, settings.bake_minutes / 2)
    return end_of(deployment, settings) - lead * _MINUTE_S
