"""The alarms between releases fire on what a person must be notified of, at one request a day as at a thousand a
second, and whatever CloudWatch makes of metrics that have never had a data point."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from serinus.infra.lint.template_alarms import check_alarm_metrics
from serinus.infra.names import FAILING, RELEASE_FUNCTIONS
from serinus.infra.settings import AlarmSettings, EndpointSettings, RolloutSettings
from serinus.infra.steady_alarm_plan import (
    API_NAMESPACE,
    JUDGE_FAILURES,
    WINDOW_S,
    SteadyAlarm,
    SteadyMetric,
    plan_steady_alarms,
    steady_alarm_names,
)
from serinus.offline.services.cloudwatch import math_functions, metric_math
from serinus.offline.services.cloudwatch.metric_math import MathScope, compute
from serinus.offline.services.cloudwatch.time_series import Grid, TimeSeries, Value

Templates = Callable[..., dict[str, Any]]
Find = Callable[[dict[str, Any], str], dict[str, dict[str, Any]]]
Fires = Callable[..., bool]

CALLS_5XX = SteadyMetric(API_NAMESPACE, "5XXError", {"ApiName": "shop-prod-churn", "Stage": "live"})


def planned(name: str, settings: EndpointSettings | None = None) -> SteadyAlarm:
    (alarm,) = (
        one for one in plan_steady_alarms("shop-prod-churn", settings or EndpointSettings(), CALLS_5XX)
        if one.name == name
    )  # fmt: skip
    return alarm


@pytest.fixture(params=[True, False], ids=["FILL fills an empty series", "FILL fills nothing"])
def fires(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Fires:
    """Whether an alarm fires on an hour's sums; a metric that is not named has never had a data point."""
    fill = metric_math.math_functions.fill

    def fill_as_read(value: Value, filler: Value | str, grid: Grid) -> Value:
        empty = isinstance(value, TimeSeries) and not value.points
        return value if empty and not request.param else fill(value, filler, grid)

    def judge(alarm: SteadyAlarm, **sums: float) -> bool:
        monkeypatch.setattr(math_functions, "fill", fill_as_read)
        assert sums.keys() <= alarm.metrics.keys()
        grid = Grid(0, WINDOW_S, WINDOW_S)
        series: dict[str, TimeSeries] = {
            name: TimeSeries({0: float(sums[name])} if name in sums else {}, WINDOW_S) for name in alarm.metrics
        }
        for name, expression in [*alarm.terms.items(), ("value", alarm.expression)]:
            (series[name],) = compute(expression, MathScope(series.__getitem__, dict(series), grid))
        # Missing data does not breach.
        value = series["value"].points.get(0)
        return value is not None and value > alarm.threshold

    return judge


#: An hour's sums, and whether somebody must be notified.
HOURS: Mapping[str, tuple[dict[str, float], bool]] = {
    "nobody has ever called": ({}, False),
    "nobody called in this hour": ({"calls5xx": 0, "crashed": 0, "throttled": 0, "invoked": 0}, False),
    "all is well": ({"calls5xx": 0, "crashed": 0, "throttled": 0, "invoked": 3600}, False),
    "the day's one request crashes": ({"calls5xx": 1, "crashed": 1, "invoked": 1}, True),
    "the day's one request gets 500": ({"calls5xx": 1, "crashed": 0, "invoked": 1}, True),
    "one of two fails, which chance does too": ({"calls5xx": 1, "crashed": 1, "invoked": 2}, False),
    "two of twenty fail": ({"calls5xx": 2, "crashed": 2, "invoked": 20}, False),
    "three of twenty fail": ({"calls5xx": 3, "crashed": 3, "invoked": 20}, True),
    "one of a hundred fails": ({"calls5xx": 36, "crashed": 36, "invoked": 3600}, False),
    "at a thousand a second two minutes are lost": ({"calls5xx": 120_000, "invoked": 3_600_000}, False),
    "at a thousand a second four minutes are lost": ({"calls5xx": 240_000, "invoked": 3_600_000}, True),
    "handled errors alone": ({"calls5xx": 400, "crashed": 0, "throttled": 0, "invoked": 3600}, True),
    "crashes of direct invocations": ({"crashed": 10, "invoked": 10}, True),
    "the API may not invoke the alias": ({"calls5xx": 50}, True),
    "all is throttled": ({"throttled": 100, "calls5xx": 100}, True),
    "throttles that the API does not count": (
        {"throttled": 100, "calls5xx": 0, "invoked": 900, "crashed": 0},
        True,
    ),
    "a few throttles": ({"throttled": 10, "calls5xx": 10, "invoked": 3590, "crashed": 0}, False),
}


@pytest.mark.parametrize("hour", HOURS)
def test_a_person_is_notified_when_requests_fail_and_not_of_chance(fires: Fires, hour: str) -> None:
    sums, expected = HOURS[hour]
    assert fires(planned(FAILING), **sums) == expected


def test_how_much_may_fail_is_a_setting(fires: Fires) -> None:
    strict = planned(FAILING, EndpointSettings(alarms=AlarmSettings(live_error_percent=0.5)))
    assert fires(strict, calls5xx=36, invoked=3600)
    assert not fires(strict, calls5xx=10, invoked=3600)


@pytest.mark.parametrize("function", ["before", "after", "retire"])
def test_one_failure_of_a_function_that_nobody_repeats_is_enough(fires: Fires, function: str) -> None:
    assert fires(planned(RELEASE_FUNCTIONS), **{function: 1})
    assert not fires(planned(RELEASE_FUNCTIONS), **{function: 0})


def test_the_judge_may_fail_now_and_then(fires: Fires) -> None:
    alarm = planned(RELEASE_FUNCTIONS)
    assert [fires(alarm, judge=failed) for failed in (0, 1, JUDGE_FAILURES - 1)] == [False] * 3
    assert fires(alarm, judge=JUDGE_FAILURES)
    assert fires(alarm, judge=60)
    assert not fires(alarm)


def test_where_nothing_is_judged_no_alarm_watches_a_judge() -> None:
    alarm = planned(RELEASE_FUNCTIONS, EndpointSettings(rollout=RolloutSettings(strategy="all_at_once")))
    assert set(alarm.metrics) == {"before", "after", "retire"}
    assert "judge" not in alarm.expression + alarm.description


def test_basic_coverage_has_none() -> None:
    basic = EndpointSettings(alarms=AlarmSettings(coverage="basic"))
    assert plan_steady_alarms("shop-prod-churn", basic, CALLS_5XX) == ()
    assert steady_alarm_names(basic) == ()
    assert steady_alarm_names(EndpointSettings()) == (FAILING, RELEASE_FUNCTIONS)


def test_lambdas_metrics_are_the_alias_in_all_its_versions() -> None:
    """Under these dimensions Lambda writes whether or not it names the executed version:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html"""
    of_lambda = [one for one in planned(FAILING).metrics.values() if one.namespace == "AWS/Lambda"]

    assert {one.name for one in of_lambda} == {"Errors", "Throttles", "Invocations"}
    for metric in of_lambda:
        assert metric.dimensions == {"FunctionName": "shop-prod-churn", "Resource": "shop-prod-churn:live"}


def steady(template: dict[str, Any], resources_of: Find) -> dict[str, dict[str, Any]]:
    alarms = resources_of(template, "AWS::CloudWatch::Alarm").values()
    return {
        one["Properties"]["AlarmName"]: one["Properties"] for one in alarms if "AlarmName" in one["Properties"]
    }


def test_they_are_of_the_stacks_functions_and_stop_no_release(template_of: Templates, resources_of: Find) -> None:
    template = template_of()
    alarms = steady(template, resources_of)
    (group,) = resources_of(template, "AWS::CodeDeploy::DeploymentGroup").values()
    functions = {
        one["Properties"]["FunctionName"] for one in resources_of(template, "AWS::Lambda::Function").values()
    }
    watched = {
        dimension["Value"]
        for alarm in alarms.values()
        for query in alarm["Metrics"]
        if query.get("MetricStat", {}).get("Metric", {}).get("Namespace") == "AWS/Lambda"
        for dimension in query["MetricStat"]["Metric"]["Dimensions"]
        if dimension["Name"] == "FunctionName"
    }

    assert set(alarms) == {"shop-dev-churn-failing", "shop-dev-churn-release-functions"}
    assert watched == functions - {"shop-dev-churn-first"}
    assert not {str(one["Name"]) for one in group["Properties"]["AlarmConfiguration"]["Alarms"]} & set(alarms)
    assert list(check_alarm_metrics(template, weighted=True)) == []


def test_missing_data_is_no_failure_and_without_a_topic_nobody_is_notified(
    template_of: Templates, resources_of: Find
) -> None:
    for alarm in steady(template_of(), resources_of).values():
        assert alarm["TreatMissingData"] == "notBreaching"
        assert "AlarmActions" not in alarm
        assert "OKActions" not in alarm


def test_they_are_the_same_alarms_in_every_version(template_of: Templates, resources_of: Find) -> None:
    assert steady(template_of(), resources_of) == steady(template_of(graph=b"trained again"), resources_of)
