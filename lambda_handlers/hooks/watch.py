"""What a rollout's traffic shows up to now: the canary's minutes, each beside the stable version's."""

import math

from lambda_handlers.contract.release import Strategy
from lambda_handlers.hooks.deployment import Deployment
from lambda_handlers.hooks.metrics import MINUTE_S, CloudWatch, Source, learn_thresholds, read_version
from lambda_handlers.hooks.observation import Minute, VersionMinute
from lambda_handlers.hooks.settings import Settings

#: Minutes before the bake's end by which the last word is spoken: CloudWatch and its alarm need them to act on it.
LAST_WORD_MINUTES = 2


def start_of(deployment: Deployment, settings: Settings) -> float:
    """When the canary met its first requests, epoch seconds: with blue_green at the switch."""
    start = deployment.switched_at if settings.strategy is Strategy.BLUE_GREEN else deployment.traffic_at
    return start if start is not None else math.inf


def minutes_of(cloudwatch: CloudWatch, deployment: Deployment, settings: Settings, now: float) -> list[Minute]:
    """The rollout's minutes whose metrics are complete at ``now``.

    While weights split the traffic, both versions' minutes are the same. After a switch at once there is no stable
    traffic beside the canary's, so the stable's minutes are those one bake earlier: that holds the canary
    responsible for what changed meanwhile outside of it, which is why blue_green is the weaker comparison.
    """
    began = start_of(deployment, settings)
    if math.isinf(began):
        return []
    start = began // MINUTE_S * MINUTE_S
    end = (now - settings.settle_s) // MINUTE_S * MINUTE_S
    if end <= start:
        return []
    at_once = settings.strategy is Strategy.BLUE_GREEN
    lag = (settings.bake_minutes + 1) * MINUTE_S if at_once else 0
    canary = Source(settings.function, settings.alias, deployment.canary, weighted=not at_once)
    stable = Source(settings.function, settings.alias, deployment.stable, weighted=not at_once)
    thresholds = learn_thresholds(cloudwatch, stable, start - lag, settings.slow_ms)
    on_canary = read_version(cloudwatch, canary, thresholds, start, end)
    on_stable = read_version(cloudwatch, stable, thresholds, start - lag, end - lag)
    empty = VersionMinute()
    return [
        Minute(moment, on_canary.get(moment, empty), on_stable.get(moment - lag, empty))
        for moment in (start + MINUTE_S * step for step in range(round((end - start) / MINUTE_S)))
    ]


def is_last_word(deployment: Deployment, settings: Settings, now: float) -> bool:
    """Whether a verdict after this one would come too late to stop the deployment. With blue_green the judge
    itself lets go, and takes all of the bake."""
    lead = 0 if settings.strategy is Strategy.BLUE_GREEN else LAST_WORD_MINUTES
    return now >= start_of(deployment, settings) + (settings.bake_minutes - lead) * MINUTE_S
