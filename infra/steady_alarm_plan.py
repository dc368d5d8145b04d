"""The alarms between releases, as data: they watch what alias `live` serves, and the functions of its releases.

They are outside the deployment group, so they stop nothing: their metrics are of all versions, and an old
version's errors must not block the fix. No metric here names a version, so each holds under every reading of when
Lambda publishes `ExecutedVersion`.

CloudWatch bills an alarm by its metrics, so there are two alarms with all that a person is notified of.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from serinus.infra.alarm_plan import FUNCTION, LAMBDA_NAMESPACE, RESOURCE
from serinus.infra.names import ALIAS, FAILING, RELEASE_FUNCTIONS, hook_function_name, task_function_name
from serinus.infra.settings import EndpointSettings

API_NAMESPACE = "AWS/ApiGateway"

#: An hour of requests holds enough of them at one a minute, and little enough at a thousand a second.
WINDOW_S = 3600
#: Failed requests in an hour below which some must have failed and none been answered.
FEWEST_FAILURES = 3
#: Failures of the judge that count as much as one of the others: it runs again the next minute.
JUDGE_FAILURES = 5


@dataclass(frozen=True, slots=True)
class SteadyMetric:
    """One metric of an endpoint, summed over an alarm's window."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SteadyAlarm:
    """Fires when ``expression`` over ``metrics`` and ``terms``, expressions over metrics and earlier terms, is
    above ``threshold`` in the last hour. ``name`` is the last part of the alarm's name."""

    name: str
    description: str
    expression: str
    metrics: Mapping[str, SteadyMetric]
    threshold: float
    terms: Mapping[str, str] = field(default_factory=dict)


def plan_steady_alarms(
    stack: str, settings: EndpointSettings, failed_calls: SteadyMetric
) -> tuple[SteadyAlarm, ...]:
    """The alarms of the endpoint of ``stack``, none with coverage "basic"; ``failed_calls`` is its API's metric of
    5xx responses."""
    if settings.alarms.coverage == "basic":
        return ()
    return (
        _failing(stack, settings.alarms.live_error_percent, failed_calls),
        _release_functions(stack, judged=settings.rollout.strategy != "all_at_once"),
    )


def steady_alarm_names(settings: EndpointSettings) -> tuple[str, ...]:
    """Last parts of the names of an endpoint's alarms."""
    nowhere = SteadyMetric(API_NAMESPACE, "", {})
    return tuple(alarm.name for alarm in plan_steady_alarms("", settings, nowhere))


def _failing(stack: str, percent: float, failed_calls: SteadyMetric) -> SteadyAlarm:
    """What callers of the API see (5xx) and what Lambda sees (crashes, timeouts and throttles of the alias), of
    which the API's is at least as much where all requests come through it: the larger counts."""
    live = {FUNCTION: stack, RESOURCE: f"{stack}:{ALIAS}"}
    metrics = {"calls5xx": failed_calls} | {
        name: SteadyMetric(LAMBDA_NAMESPACE, metric, live)
        for name, metric in (("crashed", "Errors"), ("throttled", "Throttles"), ("invoked", "Invocations"))
    }
    return SteadyAlarm(
        name=FAILING,
        description=(
            f"More than {percent:g} % of an hour's live requests fail: "
            "5xx responses, crashes, timeouts or throttles."
        ),
        expression=(
            f"IF(failed > 0 AND (failed >= {FEWEST_FAILURES} OR failed >= total), 100 * failed / total, 0)"
        ),
        metrics=metrics,
        threshold=percent,
        terms={
            "failed": "MAX([FILL(calls5xx, 0), SUM([FILL(crashed, 0), FILL(throttled, 0)])])",
            # What the API cannot hand over is no invocation, and all of it fails.
            "total": "MAX([SUM([FILL(invoked, 0), FILL(throttled, 0)]), failed])",
        },
    )


def _release_functions(stack: str, *, judged: bool) -> SteadyAlarm:
    """Not the function of the first release: CloudFormation waits for it and fails with it."""
    functions = {
        "before": hook_function_name(stack, "before"),
        "after": hook_function_name(stack, "after"),
        "retire": task_function_name(stack, "retire"),
    }
    others = ", ".join(f"FILL({name}, 0)" for name in functions)
    expression = f"SUM([{others}])"
    if judged:
        expression = f"MAX([{expression}, FILL(judge, 0) / {JUDGE_FAILURES}])"
        functions["judge"] = task_function_name(stack, "judge")
    return SteadyAlarm(
        name=RELEASE_FUNCTIONS,
        description=(
            "A function of the releases crashed or timed out: a hook, the clean-up of old versions, or "
            f"{JUDGE_FAILURES} times in an hour the judge. `serinus logs NAME --of all` shows why."
            if judged
            else "A function of the releases crashed or timed out: a hook or the clean-up of old versions. "
            "`serinus logs NAME --of all` shows why."
        ),
        expression=expression,
        metrics={
            name: SteadyMetric(LAMBDA_NAMESPACE, "Errors", {FUNCTION: function})
            for name, function in functions.items()
        },
        threshold=0.99,
    )
