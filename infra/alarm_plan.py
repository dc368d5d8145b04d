"""The alarms that guard a release, as data: the lint checks them, a construct creates them.

Errors, crashes and latency are the new version's alone, so that neither an old version's errors nor a left-over
alarm can block a fix. Missing data never breaches: a version without requests harms nobody, and the judge probes
it every minute. A judge that falls silent has an alarm of its own.

AWS leaves three questions open, and each expression is right whatever the answer is. Does Lambda name the executed
version of each request of an alias, or only while the alias has weights? Does a throttled request have one? Does
FILL fill a metric that has never had a data point? So a split of traffic is part of the expressions that need one,
throttles are counted by alias, and no alarm needs a filled value to fire.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from collections.abc import Mapping
from dataclasses import dataclass

from serinus.infra.settings import EndpointSettings
from serinus.lambda_handlers.contract import release, signals

LAMBDA_NAMESPACE = "AWS/Lambda"
#: CodeDeploy's limit for a deployment group.
MOST_ALARMS = 10

FUNCTION, VERSION = signals.DIMENSION_FUNCTION, signals.DIMENSION_VERSION
RESOURCE, EXECUTED_VERSION = "Resource", "ExecutedVersion"

#: Lambda's limit for an init, which counts as part of the request that waits for it, beyond its timeout.
LONGEST_INIT_S = 10

_WINDOW_MINUTES = 5
_MINUTE_S = 60
#: Both versions have requests. Once all traffic has moved, the new version has the alias' requests to itself.
_SPLIT = "FILL(invoked, 0) > 0 AND FILL(total, 0) > FILL(invoked, 0)"
#: More requests than any version answers in a minute.
_MOST_REQUESTS = 1_000_000_000
#: Minutes with requests but without a verdict until the judge counts as silent.
_SILENT_MINUTES = 4


@dataclass(frozen=True, slots=True)
class WatchedMetric:
    """One metric of the new version, or of its alias. ``dimensions`` holds their names; the construct sets their
    values."""

    namespace: str
    name: str
    dimensions: frozenset[str]
    statistic: str


@dataclass(frozen=True, slots=True)
class PlannedAlarm:
    """Fires when ``expression`` over ``metrics`` is above ``threshold`` (below, with ``below``) in
    ``breaching`` of the last ``periods`` periods; by default in all.

    ``minimum_requests`` must come in one period before it can fire; ``least`` and ``most`` bound the expression's
    value, None without bound."""

    name: str
    description: str
    expression: str
    metrics: Mapping[str, WatchedMetric]
    threshold: float
    period_s: int
    periods: int = 1
    breaching: int | None = None
    below: bool = False
    minimum_requests: int = 0
    least: float = 0.0
    most: float | None = None


def plan_alarms(settings: EndpointSettings) -> tuple[PlannedAlarm, ...]:
    """The alarms of an endpoint with these settings.

    Lambda may name the executed version only while the alias has weights, so after a switch at once its metrics
    may not show the version: only the judge, which knows the time of the switch, sees crashes then.

    With coverage "basic" only the judge sees crashes and slow responses. If it is silent, no alarm fires, and the
    check after traffic judges the bake itself.
    """
    config = settings.alarms
    planned = [_errors(settings)]
    if settings.rollout.strategy != "all_at_once":
        planned.insert(0, _verdict())
    if config.coverage == "basic":
        return tuple(planned)
    planned.append(_p99(settings))
    if settings.rollout.strategy in ("canary", "linear"):
        planned += [_crashes(settings), _silence()]
        if config.throttle_rate_percent is not None:
            planned.append(_throttles(settings, config.throttle_rate_percent))
    return tuple(planned)


def _own(name: str, statistic: str) -> WatchedMetric:
    return WatchedMetric(signals.METRIC_NAMESPACE, name, frozenset({FUNCTION, VERSION}), statistic)


def _lambdas(name: str) -> WatchedMetric:
    """Lambda's metric of the alias' requests that reached the new version."""
    return WatchedMetric(LAMBDA_NAMESPACE, name, frozenset({FUNCTION, RESOURCE, EXECUTED_VERSION}), "Sum")


def _of_alias(name: str) -> WatchedMetric:
    """Lambda's metric of all of the alias' requests."""
    return WatchedMetric(LAMBDA_NAMESPACE, name, frozenset({FUNCTION, RESOURCE}), "Sum")


def _verdict() -> PlannedAlarm:
    return PlannedAlarm(
        name="Verdict",
        description="The judge's verdict on the new version is: roll back.",
        expression="verdict",
        metrics={"verdict": _own(release.METRIC_VERDICT, "Minimum")},
        threshold=0.0,
        period_s=_MINUTE_S,
        # A verdict that CloudWatch shows minutes late must still be among the values that are evaluated: see
        # CloudWatch_Embedded_Metric_Format_Alarms in its user guide.
        periods=release.LAST_WORD_MINUTES,
        breaching=1,
        below=True,
        least=min(release.VERDICT_VALUES.values()),
        most=max(release.VERDICT_VALUES.values()),
    )


def _errors(settings: EndpointSettings) -> PlannedAlarm:
    """A response of any kind writes both metrics."""
    config = settings.alarms
    return PlannedAlarm(
        name="Errors",
        description=f"More than {config.error_rate_percent:g} % of the new version's responses are errors.",
        expression=_share("FILL(failed, 0)", "FILL(answered, 0)", config.minimum_requests),
        metrics={
            "failed": _own(signals.METRIC_ERRORS, "Sum"),
            "answered": _own(signals.METRIC_ERRORS, "SampleCount"),
        },
        threshold=config.error_rate_percent,
        period_s=_WINDOW_MINUTES * _MINUTE_S,
        minimum_requests=config.minimum_requests,
        most=100.0,
    )


def _crashes(settings: EndpointSettings) -> PlannedAlarm:
    """Lambda's metrics alone, both of which any request writes: a version that crashes on each request writes none
    of its own, and an expression with a metric that has never existed may have no value."""
    config = settings.alarms
    return PlannedAlarm(
        name="Crashes",
        description=f"More than {config.error_rate_percent:g} % of the new version's requests crash or time out.",
        expression=_share("FILL(crashed, 0)", "FILL(invoked, 0)", config.minimum_requests),
        metrics={"crashed": _lambdas("Errors"), "invoked": _lambdas("Invocations")},
        threshold=config.error_rate_percent,
        period_s=_WINDOW_MINUTES * _MINUTE_S,
        minimum_requests=config.minimum_requests,
        most=100.0,
    )


def _p99(settings: EndpointSettings) -> PlannedAlarm:
    threshold_ms = p99_threshold_ms(settings)
    return PlannedAlarm(
        name="Latency",
        description=f"The new version's 99th percentile of latency is above {threshold_ms} ms, init included.",
        expression=f"IF(FILL(answered, 0) >= {settings.alarms.minimum_requests}, FILL(p99, 0), 0)",
        metrics={
            "p99": _own(signals.METRIC_LATENCY, "p99"),
            "answered": _own(signals.METRIC_LATENCY, "SampleCount"),
        },
        threshold=threshold_ms,
        period_s=_WINDOW_MINUTES * _MINUTE_S,
        minimum_requests=settings.alarms.minimum_requests,
        most=(settings.timeout_s + LONGEST_INIT_S) * 1000,
    )


def p99_threshold_ms(settings: EndpointSettings) -> int:
    """The 99th percentile in milliseconds above which a release is stopped."""
    return settings.alarms.p99_ms or settings.timeout_s * 500


def _throttles(settings: EndpointSettings, percent: float) -> PlannedAlarm:
    """By alias: Lambda throttles a function's requests together, and one that it throttled may have no executed
    version."""
    config = settings.alarms
    refused = "FILL(throttled, 0)"
    whole = f"({refused} + FILL(total, 0))"
    return PlannedAlarm(
        name="Throttles",
        description=f"Lambda throttles more than {percent:g} % of requests while traffic is split.",
        expression=f"IF({_SPLIT} AND {whole} >= {config.minimum_requests}, 100 * {refused} / {whole}, 0)",
        metrics={
            "throttled": _of_alias("Throttles"),
            "invoked": _lambdas("Invocations"),
            "total": _of_alias("Invocations"),
        },
        threshold=percent,
        period_s=_WINDOW_MINUTES * _MINUTE_S,
        minimum_requests=config.minimum_requests,
        most=100.0,
    )


def _silence() -> PlannedAlarm:
    """Verdicts by function, not version: the old version's alarms live until the shift is over, and the judge
    publishes verdicts on the new version alone. A single verdict outweighs any number of requests, so that the
    comparison also holds where FILL leaves a metric without any value empty and operators count that as 0."""
    return PlannedAlarm(
        name="Silence",
        description=f"Traffic is split, and the judge has published no verdict for {_SILENT_MINUTES} minutes.",
        expression=f"IF({_SPLIT} AND FILL(invoked, 0) > {_MOST_REQUESTS} * FILL(verdicts, 0), 1, 0)",
        metrics={
            "invoked": _lambdas("Invocations"),
            "total": _of_alias("Invocations"),
            "verdicts": WatchedMetric(
                signals.METRIC_NAMESPACE, release.METRIC_VERDICT, frozenset({FUNCTION}), "SampleCount"
            ),
        },
        threshold=0.5,
        period_s=_MINUTE_S,
        periods=_SILENT_MINUTES,
        most=1.0,
    )


def _share(part: str, whole: str, minimum: int) -> str:
    """Percent; 0 below ``minimum`` requests."""
    return f"IF({whole} >= {minimum}, 100 * {part} / {whole}, 0)"
