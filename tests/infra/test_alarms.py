from collections.abc import Callable, Iterator
from typing import Any

import pytest

from serinus.infra.alarm_plan import MOST_ALARMS, plan_alarms
from serinus.infra.lint.alarm_rules import is_carried
from serinus.infra.settings import AlarmSettings, EndpointSettings, RolloutSettings
from serinus.lambda_handlers.contract import release, signals
from serinus.offline.core.readings import Readings
from serinus.offline.services.lambda_.metrics import dimension_sets
from serinus.offline.services.lambda_.routing import InvocationRoute

Templates = Callable[..., dict[str, Any]]
Find = Callable[[dict[str, Any], str], dict[str, dict[str, Any]]]

STRATEGIES = ("canary", "linear", "blue_green", "all_at_once")


@pytest.fixture(scope="session")
def resources_of(resources_of: Find) -> Find:
    """As elsewhere, but of alarms only those of a release, which alone have no name."""

    def find(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
        return {
            name: one for name, one in resources_of(template, kind).items() if "AlarmName" not in one["Properties"]
        }

    return find


def settings(strategy: str) -> EndpointSettings:
    return EndpointSettings(rollout=RolloutSettings.model_validate({"strategy": strategy}))


def table(strategy: str) -> str:
    return f'[endpoint.churn.rollout]\nstrategy = "{strategy}"\n'


def watched(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Namespace, name and dimensions of each metric of an alarm."""
    if "MetricName" in alarm:
        yield alarm
    for item in alarm.get("Metrics", []):
        if "MetricStat" in item:
            yield item["MetricStat"]["Metric"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_group_holds_all_alarms(template_of: Templates, resources_of: Find, strategy: str) -> None:
    template = template_of(table(strategy))
    (group,) = resources_of(template, "AWS::CodeDeploy::DeploymentGroup").values()
    alarms = group["Properties"]["AlarmConfiguration"]["Alarms"]

    assert {alarm["Name"]["Ref"] for alarm in alarms} == set(resources_of(template, "AWS::CloudWatch::Alarm"))
    assert 1 <= len(alarms) <= MOST_ALARMS


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_alarm_watches_the_new_versions_requests_alone(
    template_of: Templates, resources_of: Find, strategy: str
) -> None:
    template = template_of(table(strategy))
    (version,) = resources_of(template, "AWS::Lambda::Version")

    for alarm in resources_of(template, "AWS::CloudWatch::Alarm").values():
        for metric in watched(alarm["Properties"]):
            dimensions = {item["Name"]: item["Value"] for item in metric["Dimensions"]}
            if metric["MetricName"] == release.METRIC_VERDICT and set(dimensions) == {"FunctionName"}:
                continue  # no request of any version, but that the judge speaks
            if set(dimensions) == {"FunctionName", "Resource"}:
                assert metric["MetricName"] in ("Invocations", "Throttles")
                continue  # shows whether traffic is split; throttles strike both versions alike
            named = dimensions.get("FunctionVersion") or dimensions.get("ExecutedVersion")
            assert named == {"Fn::GetAtt": [version, "Version"]}
            assert dimensions["FunctionName"] == "shop-dev-churn"


def test_dimensions_are_those_that_the_judge_and_the_function_write(
    template_of: Templates, resources_of: Find
) -> None:
    own = {signals.DIMENSION_FUNCTION, signals.DIMENSION_VERSION}
    names = {
        signals.METRIC_ERRORS, signals.METRIC_LATENCY, release.METRIC_VERDICT
    }  # fmt: skip
    found = {
        (metric["MetricName"], frozenset(item["Name"] for item in metric["Dimensions"]))
        for alarm in resources_of(template_of(), "AWS::CloudWatch::Alarm").values()
        for metric in watched(alarm["Properties"])
        if metric["Namespace"] == signals.METRIC_NAMESPACE
    }

    judge_speaks = (release.METRIC_VERDICT, frozenset({signals.DIMENSION_FUNCTION}))
    assert found == {(name, frozenset(own)) for name in names} | {judge_speaks}


def test_dimensions_of_lambdas_metrics_are_those_that_it_sends_while_traffic_is_split(
    template_of: Templates, resources_of: Find
) -> None:
    (version,) = resources_of(template_of(), "AWS::Lambda::Version")
    route = InvocationRoute("7", "shop-dev-churn:live", arn="", by_alias=True, weighted=True)
    sent = dimension_sets("shop-dev-churn", route, Readings())
    values = {str({"Fn::GetAtt": [version, "Version"]}): "7"}

    found = [
        {item["Name"]: values.get(str(item["Value"]), item["Value"]) for item in metric["Dimensions"]}
        for alarm in resources_of(template_of(), "AWS::CloudWatch::Alarm").values()
        for metric in watched(alarm["Properties"])
        if metric["Namespace"] == "AWS/Lambda"
    ]

    assert found
    assert all(dimensions in sent for dimensions in found)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_alarm_watches_what_no_metric_carries(strategy: str) -> None:
    weighted = strategy in ("canary", "linear")

    for alarm in plan_alarms(settings(strategy)):
        assert all(is_carried(metric, weighted=weighted) for metric in alarm.metrics.values())


def test_an_alarm_on_the_old_version_has_nothing_in_common_with_the_new_ones(
    template_of: Templates, resources_of: Find
) -> None:
    old = resources_of(template_of(), "AWS::CloudWatch::Alarm")
    new = resources_of(template_of(graph=b"trained again"), "AWS::CloudWatch::Alarm")

    assert not set(old) & set(new)
    assert not any("AlarmName" in alarm["Properties"] for alarm in old.values())


def test_missing_data_never_stops_a_release(template_of: Templates, resources_of: Find) -> None:
    alarms = resources_of(template_of(), "AWS::CloudWatch::Alarm").values()

    assert {alarm["Properties"]["TreatMissingData"] for alarm in alarms} == {"notBreaching"}


def test_the_verdict_alarm_fires_on_roll_back_alone() -> None:
    (alarm,) = (alarm for alarm in plan_alarms(settings("canary")) if alarm.name == "Verdict")
    firing = {verdict for verdict, value in release.VERDICT_VALUES.items() if value < alarm.threshold}

    assert alarm.below
    assert firing == {release.Verdict.ROLL_BACK}


def test_the_judges_word_on_any_version_breaks_the_silence_on_every_version() -> None:
    """The old version still has requests during a shift, an alarm of its own, and no judge that speaks of it."""
    (alarm,) = (alarm for alarm in plan_alarms(settings("canary")) if alarm.name == "Silence")

    assert alarm.metrics["invoked"].dimensions >= {"ExecutedVersion"}
    assert alarm.metrics["verdicts"].dimensions == {signals.DIMENSION_FUNCTION}


def test_thresholds_and_minimum_counts_are_settings() -> None:
    chosen = EndpointSettings(
        timeout_s=20,
        alarms=AlarmSettings(error_rate_percent=7.5, p99_ms=900, throttle_rate_percent=3, minimum_requests=44),
    )
    alarms = {alarm.name: alarm for alarm in plan_alarms(chosen)}

    names = ("Errors", "Crashes", "Latency", "Throttles")
    assert [alarms[name].threshold for name in names] == [7.5, 7.5, 900, 3]
    assert all(">= 44" in alarms[name].expression for name in names)


def test_the_99th_percentile_may_take_half_of_the_timeout_unless_set() -> None:
    (alarm,) = (one for one in plan_alarms(EndpointSettings(timeout_s=8)) if one.name == "Latency")

    assert alarm.threshold == 4000
