"""What AWS refuses or ignores in a finished template: found in ours where they are spoilt, and only there."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.infra.errors import LintError
from serinus.infra.lint.template_rules import check_template
from serinus.infra.synth import synthesize

Templates = Callable[..., dict[str, Any]]
STRATEGIES = ("canary", "linear", "blue_green", "all_at_once")


def found(template: dict[str, Any], *, weighted: bool = True) -> list[tuple[tuple[str, ...], str]]:
    return [(problem.key, problem.what) for problem in check_template(template, weighted=weighted)]


def resources(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [item["Properties"] for item in template["Resources"].values() if item["Type"] == kind]


def inference(template: dict[str, Any]) -> dict[str, Any]:
    """The properties of the function behind the API."""
    (one,) = (item for item in resources(template, "AWS::Lambda::Function") if "SnapStart" in item)
    return one


@pytest.fixture
def snapstart(template_of: Templates) -> dict[str, Any]:
    return copy.deepcopy(template_of('cold_start = "snapstart"\n'))


@pytest.fixture
def plain(template_of: Templates) -> dict[str, Any]:
    return copy.deepcopy(template_of())


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("cold_start", ["none", "snapstart", "provisioned"])
def test_our_templates_have_nothing_wrong(template_of: Templates, strategy: str, cold_start: str) -> None:
    template = template_of(f'cold_start = "{cold_start}"\n[endpoint.churn.rollout]\nstrategy = "{strategy}"\n')

    assert found(template, weighted=strategy in ("canary", "linear")) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"FileSystemConfigs": [{"Arn": "a", "LocalMountPath": "/mnt/x"}]},
            "SnapStart with a file system (EFS)",
        ),
        ({"EphemeralStorage": {"Size": 1024}}, "SnapStart with a /tmp of 1024 MB"),
        ({"Runtime": "python3.11"}, "SnapStart with runtime python3.11"),
    ],
)
def test_what_snapstart_does_not_stand_beside(
    snapstart: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    inference(snapstart).update(change)

    ((key, what),) = found(snapstart)

    assert key == ("cold_start",)
    assert said in what


def test_snapstart_beside_environments_kept_ready(snapstart: dict[str, Any]) -> None:
    (alias,) = resources(snapstart, "AWS::Lambda::Alias")
    alias["ProvisionedConcurrencyConfig"] = {"ProvisionedConcurrentExecutions": 1}

    assert [what for _, what in found(snapstart) if "SnapStart with provisioned concurrency" in what]


def test_weights_beside_environments_kept_ready(plain: dict[str, Any]) -> None:
    (alias,) = resources(plain, "AWS::Lambda::Alias")
    alias["ProvisionedConcurrencyConfig"] = {"ProvisionedConcurrentExecutions": 1}
    alias["RoutingConfig"] = {"AdditionalVersionWeights": [{"FunctionVersion": "1", "FunctionWeight": 0.1}]}

    assert [what for _, what in found(plain) if "has weights and provisioned concurrency" in what]


@pytest.mark.parametrize(
    "dimensions",
    [
        {"FunctionName": "shop-dev-churn:7"},
        {"FunctionName": {"Fn::Join": ["", [{"Ref": "Function"}, ":", "7"]]}},
        {"FunctionName": "shop-dev-churn", "ExecutedVersion": "7"},
    ],
)
def test_an_alarm_by_dimensions_that_no_metric_carries(plain: dict[str, Any], dimensions: dict[str, Any]) -> None:
    (alarm, *_) = resources(plain, "AWS::CloudWatch::Alarm")
    alarm.pop("Metrics", None)
    alarm |= {
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }

    ((key, what),) = found(plain)

    assert key == ("alarms",)
    assert "which no metric has" in what


@pytest.mark.parametrize(
    ("namespace", "metric", "dimensions"),
    [
        ("AWS/Lambda", "ConcurrentExecutions", ("FunctionName",)),
        ("AWS/Lambda", "ProvisionedConcurrencySpilloverInvocations", ("FunctionName", "Resource")),
        ("Serinus", "ModelTime", ("FunctionName", "FunctionVersion")),
        ("Serinus", "Rejected", ("FunctionName", "FunctionVersion", "Outcome")),
    ],
)
def test_an_alarm_on_what_is_written(
    plain: dict[str, Any], namespace: str, metric: str, dimensions: tuple[str, ...]
) -> None:
    plain["Resources"]["Other"] = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": "shop-dev-churn"} for name in dimensions],
        },
    }

    assert found(plain) == []


def test_an_alarm_by_executed_version_where_traffic_is_never_split(plain: dict[str, Any]) -> None:
    assert found(plain, weighted=True) == []
    assert {"ExecutedVersion" in what for _, what in found(plain, weighted=False)} == {True}


def test_an_alarm_on_a_service_that_is_not_ours_to_know(plain: dict[str, Any]) -> None:
    plain["Resources"]["Other"] = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {"Namespace": "AWS/SQS", "MetricName": "Depth", "Dimensions": [{"Name": "Q", "Value": "q"}]},
    }

    assert found(plain) == []


def test_more_alarms_than_a_group_takes(plain: dict[str, Any]) -> None:
    (group,) = resources(plain, "AWS::CodeDeploy::DeploymentGroup")
    group["AlarmConfiguration"]["Alarms"] = [{"Name": str(number)} for number in range(11)]

    ((_, what),) = found(plain)

    assert what.endswith("has 11 alarms; CodeDeploy allows 10")


def test_an_api_that_waits_for_less_than_its_function_takes(plain: dict[str, Any]) -> None:
    methods = resources(plain, "AWS::ApiGateway::Method")
    for method in methods:
        method["Integration"]["TimeoutInMillis"] = 5000

    assert {key for key, _ in found(plain)} == {("timeout_s",)}
    assert "waits 5000 ms for function" in found(plain)[0][1]


def test_more_layers_and_variables_than_a_function_takes(plain: dict[str, Any]) -> None:
    (function, *_) = resources(plain, "AWS::Lambda::Function")
    function["Layers"] = [{"Ref": f"Layer{number}"} for number in range(6)]
    function["Environment"] = {"Variables": {"LONG": "x" * 4093}}

    assert [key for key, _ in found(plain)] == [("model",), ("variables",)]


def test_synth_refuses_a_template_with_errors(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serinus.infra.lint.template_alarms.MOST_ALARMS", 1)

    with pytest.raises(LintError, match=r"env.dev.defaults.alarms: deployment group .* CodeDeploy allows 1"):
        synthesize(project.folder, "dev", tmp_path / "out")
