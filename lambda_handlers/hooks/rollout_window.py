"""A rollout's traffic up to now: the canary's minutes, each beside the stable version's."""

import math

from serinus.lambda_handlers.contract.release import Strategy
from serinus.lambda_handlers.hooks.bake import start_of
from serinus.lambda_handlers.hooks.deployment import Deployment
from serinus.lambda_handlers.hooks.metrics import MINUTE_S, CloudWatch, Source, learn_thresholds, read_version
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.settings import Settings

#: Minutes of the stable version before a switch that each of the canary's after it is compared with: the more
#: there is of the usual, the fewer requests of the canary show the unusual.
MINUTES_BEFORE = 4


def read_minutes(cloudwatch: CloudWatch, deployment: Deployment, settings: Settings, now: float) -> list[Minute]:
    """The rollout's minutes whose metrics are complete at ``now``."""
    began = start_of(deployment, settings)
    if math.isinf(began):
        return []
    end = (now - settings.settle_s) // MINUTE_S * MINUTE_S
    read = _after_switch if settings.strategy is Strategy.BLUE_GREEN else _side_by_side
    return read(cloudwatch, deployment, settings, began, end)


def _side_by_side(
    cloudwatch: CloudWatch, deployment: Deployment, settings: Settings, began: float, end: float
) -> list[Minute]:
    """Weights split the traffic: both versions in the same minutes, beginning with that of the shift's start."""
    canary, stable = _sources(deployment, settings, weighted=True)
    start = began // MINUTE_S * MINUTE_S
    count = round((end - start) / MINUTE_S)
    if count <= 0:
        return []
    thresholds = learn_thresholds(cloudwatch, stable, start, settings.slow_ms)
    on_canary = read_version(cloudwatch, canary, thresholds, start, end)
    on_stable = read_version(cloudwatch, stable, thresholds, start, end)
    moments = [start + MINUTE_S * step for step in range(count)]
    return [Minute(at, on_canary.get(at, VersionMinute()), on_stable.get(at, VersionMinute())) for at in moments]


def _after_switch(
    cloudwatch: CloudWatch, deployment: Deployment, settings: Settings, began: float, end: float
) -> list[Minute]:
    """All traffic moved at once: the canary's minutes from the first whole one on, each beside `MINUTES_BEFORE` of
    the stable version's from the switch backwards. Any other change at that time also counts against the canary,
    which is why blue_green is the weaker comparison."""
    canary, stable = _sources(deployment, settings, weighted=False)
    last = began // MINUTE_S * MINUTE_S
    start = math.ceil(began / MINUTE_S) * MINUTE_S
    count = round((end - start) / MINUTE_S)
    if count <= 0:
        return []
    thresholds = learn_thresholds(cloudwatch, stable, last, settings.slow_ms)
    on_canary = read_version(cloudwatch, canary, thresholds, start, end)
    on_stable = read_version(cloudwatch, stable, thresholds, last - MINUTE_S * MINUTES_BEFORE * count, last)
    return [
        Minute(
            start + MINUTE_S * step,
            on_canary.get(start + MINUTE_S * step, VersionMinute()),
            VersionMinute.total(
                on_stable.get(last - MINUTE_S * (MINUTES_BEFORE * step + back), VersionMinute())
                for back in range(1, MINUTES_BEFORE + 1)
            ),
        )
        for step in range(count)
    ]


def _sources(deployment: Deployment, settings: Settings, *, weighted: bool) -> tuple[Source, Source]:
    """The metrics of the canary and of the stable version."""
    function, alias = settings.function, settings.alias
    canary = Source(function, alias, deployment.canary, weighted=weighted)
    return canary, Source(function, alias, deployment.stable, weighted=weighted)
