"""Alarms fire, and stay silent, as they should under every reading of what AWS's documentation leaves open.

Lambda may write `ExecutedVersion` for each request of an alias, or only while the alias has weights; a throttled
request may have no executed version; FILL may leave a metric that never had a data point as empty as it was. The
expressions are evaluated by the offline cloud's metric math over what each reading writes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest

from serinus.infra.alarm_plan import EXECUTED_VERSION, VERSION, PlannedAlarm, WatchedMetric, plan_alarms
from serinus.infra.settings import AlarmSettings, EndpointSettings
from serinus.lambda_handlers.contract import signals
from serinus.offline.services.cloudwatch import math_functions, metric_math
from serinus.offline.services.cloudwatch.metric_math import MathScope, compute
from serinus.offline.services.cloudwatch.time_series import Grid, TimeSeries, Value

PERIODS = 5
LIMITS = AlarmSettings(error_rate_percent=25, throttle_rate_percent=10, minimum_requests=20)
NAMES = ("Verdict", "Errors", "Crashes", "Latency", "Throttles", "Silence")


@dataclass(frozen=True)
class Reading:
    """An answer to each open question."""

    always_executed: bool
    fills_empty: bool
    throttled_by_version: bool


READINGS = [
    Reading(always, fills, by_version)
    for always in (False, True)
    for fills in (False, True)
    for by_version in (False, True)
]


@dataclass(frozen=True)
class Traffic:
    """Requests in each period: of the new version, of the old one, and of the new one's how many crash, fail and
    are slow; ``throttled`` of the alias."""

    new: int = 0
    old: int = 0
    crashed: int = 0
    failed: int = 0
    slow: bool = False
    throttled: int = 0
    verdict: float | None = 1.0

    @property
    def weighted(self) -> bool:
        return self.new > 0 and self.old > 0


def written(traffic: Traffic, reading: Reading, metric: WatchedMetric) -> float | None:
    """The value of a metric in a period; None where nothing writes it."""
    answered = traffic.new - traffic.crashed
    if metric.namespace == signals.METRIC_NAMESPACE:
        if metric.name == "Verdict":
            return 1.0 if metric.statistic == "SampleCount" and traffic.verdict is not None else traffic.verdict
        if not answered:
            return None
        if metric.statistic == "SampleCount":
            return answered
        return float(traffic.failed) if metric.name == "Errors" else 9000.0 if traffic.slow else 20.0
    if EXECUTED_VERSION not in metric.dimensions:
        total = {"Invocations": traffic.new + traffic.old, "Throttles": traffic.throttled}[metric.name]
        return float(total) if total else None
    if not (traffic.weighted or reading.always_executed):
        return None
    if metric.name == "Throttles":
        return float(traffic.throttled) if traffic.throttled and reading.throttled_by_version else None
    if not traffic.new:
        return None
    return float({"Invocations": traffic.new, "Errors": traffic.crashed}[metric.name])


@pytest.fixture
def fires(monkeypatch: pytest.MonkeyPatch) -> Callable[[Traffic, Reading], set[str]]:
    """The names of the alarms that fire on the same traffic in each period."""
    fill = metric_math.math_functions.fill

    def names(traffic: Traffic, reading: Reading, **alarms: PlannedAlarm) -> set[str]:
        def fill_as_read(value: Value, filler: Value | str, grid: Grid) -> Value:
            empty = isinstance(value, TimeSeries) and not value.points
            return value if empty and not reading.fills_empty else fill(value, filler, grid)

        monkeypatch.setattr(math_functions, "fill", fill_as_read)
        planned = plan_alarms(EndpointSettings(alarms=LIMITS))
        return {alarm.name for alarm in planned if breaches(alarms.get(alarm.name, alarm), traffic, reading)}

    return names


def breaches(alarm: PlannedAlarm, traffic: Traffic, reading: Reading) -> bool:
    periods = range(0, PERIODS * alarm.period_s, alarm.period_s)
    metrics: Mapping[str, TimeSeries] = {
        name: TimeSeries(
            {} if (value := written(traffic, reading, metric)) is None else dict.fromkeys(periods, value),
            alarm.period_s,
        )
        for name, metric in alarm.metrics.items()
    }
    grid = Grid(0, PERIODS * alarm.period_s, alarm.period_s)
    (value,) = compute(alarm.expression, MathScope(metrics.__getitem__, dict(metrics), grid))
    last = [value.points.get(at) for at in periods][-alarm.periods :]
    # Missing data does not breach.
    return all(
        point is not None and (point < alarm.threshold if alarm.below else point > alarm.threshold)
        for point in last
    )


SITUATIONS = {
    "a split that is well": (Traffic(new=40, old=360), set()),
    "a silent judge": (Traffic(new=40, old=360, verdict=None), {"Silence"}),
    "all traffic has moved, and nothing is judged": (Traffic(new=400, verdict=None), set()),
    "before the first release": (Traffic(old=400, verdict=None), set()),
    "nobody calls": (Traffic(verdict=None), set()),
    "every request of the new version crashes": (Traffic(new=40, old=360, crashed=40), {"Crashes"}),
    "one in three crashes": (Traffic(new=40, old=360, crashed=14), {"Crashes"}),
    "one in three is an error": (Traffic(new=40, old=360, failed=14), {"Errors"}),
    "few requests, all of which crash": (Traffic(new=10, old=90, crashed=10), set()),
    "slow responses": (Traffic(new=40, old=360, slow=True), {"Latency"}),
    "a fifth is throttled": (Traffic(new=40, old=360, throttled=100), {"Throttles"}),
    "throttles after the shift": (Traffic(new=400, throttled=100, verdict=None), set()),
    "throttles before it": (Traffic(old=400, throttled=100, verdict=None), set()),
    "the verdict is to roll back": (Traffic(new=40, old=360, verdict=-1.0), {"Verdict"}),
}


@pytest.mark.parametrize("reading", READINGS, ids=str)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_right_alarms_fire_whatever_the_reading(
    fires: Callable[..., set[str]], situation: str, reading: Reading
) -> None:
    traffic, expected = SITUATIONS[situation]
    assert fires(traffic, reading) == expected


def test_without_the_split_the_silence_would_be_heard_after_each_promotion(
    fires: Callable[..., set[str]],
) -> None:
    """The guard, taken away: the situation above can tell."""
    silence = next(alarm for alarm in plan_alarms(EndpointSettings()) if alarm.name == "Silence")
    unguarded = replace(silence, expression="IF(FILL(invoked, 0) > 0 AND FILL(verdicts, 0) == 0, 1, 0)")
    steady = Traffic(new=400, verdict=None)
    always, weighted = Reading(True, True, True), Reading(False, True, True)
    assert fires(steady, always, Silence=unguarded) == {"Silence"}
    assert fires(steady, weighted, Silence=unguarded) == set()


def test_no_alarm_mixes_a_versions_own_metrics_with_lambdas() -> None:
    """One of the two kinds may never have been written, and the expression then may have no value."""
    for alarm in plan_alarms(EndpointSettings(alarms=LIMITS)):
        by_version = [metric for metric in alarm.metrics.values() if VERSION in metric.dimensions]
        by_lambda = [metric for metric in alarm.metrics.values() if metric.namespace != signals.METRIC_NAMESPACE]
        assert not (by_version and by_lambda), alarm.name
        assert alarm.name in NAMES
