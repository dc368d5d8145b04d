"""A rollout's traffic up to now: the canary's minutes, each beside the stable version's."""

import math
from dataclasses import dataclass, replace

from serinus.lambda_handlers.contract.release import Strategy
from serinus.lambda_handlers.hooks.bake import start_of
from serinus.lambda_handlers.hooks.deployment import Deployment
from serinus.lambda_handlers.hooks.metrics import (
    HOUR_S,
    MINUTE_S,
    CloudWatch,
    Source,
    Thresholds,
    learn_thresholds,
    read_history,
    read_version,
)
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.settings import Settings
from serinus.lambda_handlers.hooks.shift_schedule import ShiftSchedule

#: Minutes of the stable version before a switch that each of the canary's after it is compared with. The better
#: the stable version is known, the fewer requests of the canary are needed.
MINUTES_BEFORE = 4
#: How far back the stable version's minutes are read, which show how much its counts usually vary.
HISTORY_S = 4 * HOUR_S
#: Seconds after the canary's first request in which Lambda may not have cached its code: starts take longer.
YOUNG_S = 300


@dataclass(frozen=True, slots=True)
class Rollout:
    """``minutes`` hold both versions; ``history`` is the stable version alone before, minute by minute.
    ``switched``: the versions did not serve at the same time."""

    minutes: tuple[Minute, ...] = ()
    history: tuple[VersionMinute, ...] = ()
    switched: bool = False


def read_rollout(
    cloudwatch: CloudWatch, deployment: Deployment, settings: Settings, bins: str | None, now: float
) -> Rollout:
    """The rollout's minutes whose metrics are complete at ``now``. Both versions' predictions are those counted in
    ``bins``, the canary's: a stable version with others has none."""
    began = start_of(deployment, settings)
    switched = settings.strategy is Strategy.BLUE_GREEN
    first = math.ceil(began / MINUTE_S) * MINUTE_S if math.isfinite(began) else math.inf
    end = (now - settings.settle_s) // MINUTE_S * MINUTE_S
    if first >= end:
        return Rollout(switched=switched)
    canary = Source(settings.function, settings.alias, deployment.canary, weighted=not switched, bins=bins)
    stable = Source(settings.function, settings.alias, deployment.stable, weighted=not switched, bins=bins)
    last = first - MINUTE_S if first > began else first
    thresholds = learn_thresholds(cloudwatch, stable, last, settings.slow_ms)
    on_canary = read_version(cloudwatch, canary, thresholds, first, end)
    before = _read_before(cloudwatch, stable, thresholds, last)
    moments = [first + MINUTE_S * step for step in range(round((end - first) / MINUTE_S))]
    if switched:
        beside = _backwards(before, last, len(moments))
    else:
        on_stable = read_version(cloudwatch, stable, thresholds, first, end)
        beside = [on_stable.get(at, VersionMinute()) for at in moments]
    minutes = [
        Minute(
            at,
            on_canary.get(at, VersionMinute()),
            other,
            share=1 / (1 + MINUTES_BEFORE),
            young=at < began + YOUNG_S,
        )
        for at, other in zip(moments, beside, strict=True)
    ]
    history = tuple(minute for _, minute in sorted(before.items()))
    if not switched:
        minutes = _fair(minutes, ShiftSchedule.of(settings, began))
    return Rollout(tuple(minutes), history, switched)


def _read_before(
    cloudwatch: CloudWatch, stable: Source, thresholds: Thresholds, end: float
) -> dict[float, VersionMinute]:
    """The stable version's minutes before ``end``, when it served all requests and the alias had no weights."""
    return read_history(cloudwatch, replace(stable, weighted=False), thresholds, end - HISTORY_S, end)


def _fair(minutes: list[Minute], schedule: ShiftSchedule) -> list[Minute]:
    steps = [schedule.fair_step(minute) for minute in minutes]
    return [
        replace(minute, step=step, share=schedule.share_at(step))
        for minute, step in zip(minutes, steps, strict=True)
        if step is not None
    ]


def _backwards(before: dict[float, VersionMinute], last: float, count: int) -> list[VersionMinute]:
    """For each of ``count`` minutes after a switch, `MINUTES_BEFORE` of the stable version, from the switch
    backwards. Any other change at that time also counts against the canary: blue_green is the weaker
    comparison."""
    return [
        VersionMinute.total(
            before.get(last - MINUTE_S * (MINUTES_BEFORE * step + back), VersionMinute())
            for back in range(1, MINUTES_BEFORE + 1)
        )
        for step in range(count)
    ]
