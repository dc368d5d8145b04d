"""When a rollout's bake begins and ends, and when the judge's last verdict is due."""

import math

from serinus.lambda_handlers.contract.release import Strategy, last_word_lead
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

    With blue_green the judge itself reports to CodeDeploy, and uses all of the bake.
    """
    lead = 0.0 if settings.strategy is Strategy.BLUE_GREEN else last_word_lead(settings.bake_minutes)
    return end_of(deployment, settings) - lead * _MINUTE_S
