"""Whether alarms can fire: metrics exist, thresholds can be crossed, and a deployment group can hold them all."""

import math
from collections.abc import Iterator, Mapping

from serinus.infra.alarm_plan import (
    EXECUTED_VERSION,
    FUNCTION,
    LAMBDA_NAMESPACE,
    MOST_ALARMS,
    RESOURCE,
    VERSION,
    PlannedAlarm,
    WatchedMetric,
    p99_threshold_ms,
    plan_alarms,
)
from serinus.infra.lint.figures import minutes_in_words
from serinus.infra.lint.finding import Problem
from serinus.infra.settings import Endpoint, Settings
from serinus.infra.traffic_shift import shift_of
from serinus.lambda_handlers.contract import release, signals
from serinus.lambda_handlers.contract.findings import METRIC_FINDINGS

#: Metrics of our own namespace, all by function and version; the verdict by function alone too, rejections by
#: their reason too, and predictions by their bins only. The monitor's findings are by function alone.
OWN_METRICS = frozenset(
    {
        release.METRIC_VERDICT,
        signals.METRIC_ERRORS,
        signals.METRIC_FIRST,
        signals.METRIC_INIT,
        signals.METRIC_LATENCY,
        signals.METRIC_MODEL_TIME,
        signals.METRIC_NON_FINITE,
        signals.METRIC_REJECTED,
        signals.METRIC_ROWS,
    }
)
#: Lambda's metrics, from https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
LAMBDA_METRICS = frozenset(
    {
        "AsyncEventAge",
        "AsyncEventsDropped",
        "AsyncEventsReceived",
        "ConcurrentExecutions",
        "DeadLetterErrors",
        "DestinationDeliveryFailures",
        "Duration",
        "Errors",
        "Invocations",
        "PostRuntimeExtensionsDuration",
        "ProvisionedConcurrencyInvocations",
        "ProvisionedConcurrencySpilloverInvocations",
        "ProvisionedConcurrencyUtilization",
        "ProvisionedConcurrentExecutions",
        "RecursiveInvocationsDropped",
        "Throttles",
        "UnreservedConcurrentExecutions",
    }
)

#: Milliseconds of init at 1024 MB, measured under that share of a processor (docs/benchmarks.md), and the memory
#: that buys a whole one: more does not start Python faster.
_INIT_MS, _MEASURED_MB, _WHOLE_CPU_MB = 280, 1024, 1769
#: How much slower Lambda may be than the machine that measured, and milliseconds in which it fetches new layers.
_SLOWER, _FETCH_MS = 3, 1000
_HUNDRED = 100

#: The setting behind each alarm's threshold.
_SETTING: Mapping[str, str] = {
    "Errors": "error_rate_percent",
    "Crashes": "error_rate_percent",
    "Latency": "p99_ms",
    "Throttles": "throttle_rate_percent",
}


def check_count(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """More alarms than CodeDeploy accepts."""
    if (count := len(plan_alarms(endpoint.settings))) > MOST_ALARMS:
        yield Problem(
            "error",
            ("alarms",),
            f"{count} alarms guard the release; a deployment group holds {MOST_ALARMS}",
            "Remove some",
        )


def check_metrics(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """An alarm on a metric that does not exist would never fire, unnoticed."""
    weighted = endpoint.settings.rollout.strategy in ("canary", "linear")
    for alarm in plan_alarms(endpoint.settings):
        for watched in alarm.metrics.values():
            if not is_carried(watched, weighted=weighted):
                listed = ", ".join(sorted(watched.dimensions))
                yield Problem(
                    "error",
                    ("alarms", *_setting(alarm)),
                    f"alarm {alarm.name} watches {watched.namespace} {watched.name} by {listed}, which no metric "
                    f"has under strategy {endpoint.settings.rollout.strategy}",
                    "Choose another strategy",
                )


def is_carried(watched: WatchedMetric, *, weighted: bool) -> bool:
    """Whether a metric surely exists under these dimensions. Lambda may name the executed version only while an
    alias has weights."""
    if watched.namespace == signals.METRIC_NAMESPACE:
        if watched.dimensions == {FUNCTION}:
            return watched.name in (release.METRIC_VERDICT, METRIC_FINDINGS)
        if watched.dimensions == {FUNCTION, VERSION, signals.DIMENSION_OUTCOME}:
            return watched.name == signals.METRIC_REJECTED
        if watched.dimensions == {FUNCTION, VERSION, signals.DIMENSION_BINS}:
            return watched.name == signals.METRIC_PREDICTION
        return watched.name in OWN_METRICS and watched.dimensions == {FUNCTION, VERSION}
    known = [set(), {FUNCTION}, {FUNCTION, RESOURCE}]
    if weighted:
        known.append({FUNCTION, RESOURCE, EXECUTED_VERSION})
    return watched.namespace == LAMBDA_NAMESPACE and watched.name in LAMBDA_METRICS and watched.dimensions in known


def check_thresholds(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """Thresholds that no value, or every value, crosses."""
    for alarm in plan_alarms(endpoint.settings):
        if _never(alarm):
            yield Problem(
                "error",
                ("alarms", *_setting(alarm)),
                f"alarm {alarm.name} fires {'below' if alarm.below else 'above'} {alarm.threshold:g}, which its "
                f"values cannot reach: they range from {alarm.least:g} to {alarm.most:g}",
                "Set less: a request that reaches timeout_s times out and counts as a crash"
                if alarm.name == "Latency"
                else "Set a threshold within that range",
            )
        elif _always(alarm):
            yield Problem(
                "error",
                ("alarms", *_setting(alarm)),
                f"alarm {alarm.name} fires at its lowest value already, so it would stop every release",
                f"Set a threshold above {alarm.least:g}",
            )


def _never(alarm: PlannedAlarm) -> bool:
    if alarm.below:
        return alarm.threshold <= alarm.least
    return alarm.most is not None and alarm.threshold >= alarm.most


def _always(alarm: PlannedAlarm) -> bool:
    if alarm.below:
        return alarm.most is not None and alarm.threshold > alarm.most
    return alarm.threshold < alarm.least


def check_minimum(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A minimum that the new version's share of the allowed rate cannot reach."""
    config = endpoint.settings
    share = shift_of(config.rollout).first_share_percent
    counted = [alarm for alarm in plan_alarms(config) if alarm.minimum_requests]
    if not counted:
        return
    most = config.rate_limit_per_s * counted[0].period_s * share // 100
    if most < config.alarms.minimum_requests:
        yield Problem(
            "warning",
            ("alarms", "minimum_requests"),
            f"alarms do not fire below {config.alarms.minimum_requests} requests in "
            f"{minutes_in_words(counted[0].period_s // 60)}, but at rate_limit_per_s = "
            f"{config.rate_limit_per_s} an API key can send the new version {most}",
            "Set less, or give the new version a larger share",
        )


def check_first_requests(_settings: Settings, endpoint: Endpoint) -> Iterator[Problem]:
    """A percentile that any new version exceeds: its environments are new, and first requests include init."""
    limit_ms, start_ms = p99_threshold_ms(endpoint.settings), cold_start_ms(endpoint.settings.memory_mb)
    if limit_ms < start_ms and endpoint.settings.alarms.minimum_requests < _HUNDRED:
        yield Problem(
            "warning",
            ("alarms", "p99_ms"),
            f"a new version begins with cold starts, which may take {start_ms} ms with memory_mb = "
            f"{endpoint.settings.memory_mb}; among fewer than 100 requests one of them is the 99th percentile, so "
            f"{limit_ms} ms (half of timeout_s unless set) may stop every release",
            f"Set {start_ms} or more, or alarms.minimum_requests = 500",
        )


def cold_start_ms(memory_mb: int) -> int:
    """Milliseconds that a cold start of new code may take on Lambda, rounded up to a tenth of a second: an
    estimate, which nothing on AWS has confirmed."""
    init_ms = _INIT_MS * _MEASURED_MB / min(memory_mb, _WHOLE_CPU_MB)
    return math.ceil((_FETCH_MS + _SLOWER * init_ms) / 100) * 100


def _setting(alarm: PlannedAlarm) -> tuple[str, ...]:
    return (_SETTING[alarm.name],) if alarm.name in _SETTING else ()
