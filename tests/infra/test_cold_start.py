"""What is done about cold starts: in the template, in the lint, in errors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template
from cfnlint.api import lint as cfn_lint

from serinus.infra.assembly import create_app
from serinus.infra.errors import SettingsError
from serinus.infra.lint import lint
from serinus.infra.settings import load_settings
from serinus.infra.stacks.endpoint_stack import EndpointStack

BASE = '[project]\nname = "shop"\n\n[endpoint.churn]\n'
READY = 'cold_start = "provisioned"\n'
SCALED = (
    READY + "[endpoint.churn.provisioned]\nenvironments = 2\nmaximum = 10\ntarget_percent = 70\n"
    'timezone = "Europe/Zurich"\nschedule = { "cron(0 7 ? * MON-FRI *)" = 5, "cron(0 19 ? * MON-FRI *)" = 2 }\n'
)
ALIAS, FUNCTION, TARGET = (
    "AWS::Lambda::Alias",
    "AWS::Lambda::Function",
    "AWS::ApplicationAutoScaling::ScalableTarget",
)


@pytest.fixture
def template_of(new_project: Callable[[str], Any]) -> Callable[[str], Template]:
    """Synthesizes the stack of an endpoint with these settings."""

    def create(text: str) -> Template:
        project = new_project(BASE + text)
        project.package("churn", "dev")
        project.build()
        settings, endpoint, release = project.release("dev")
        return Template.from_stack(
            EndpointStack(create_app(), settings=settings, endpoint=endpoint, release=release)
        )

    return create


def test_nothing_is_done_unless_asked(template_of: Callable[[str], Template]) -> None:
    template = template_of("")
    template.has_resource_properties(ALIAS, {"ProvisionedConcurrencyConfig": Match.absent()})
    template.has_resource_properties(FUNCTION, {"FunctionName": "shop-dev-churn", "SnapStart": Match.absent()})
    template.resource_count_is(TARGET, 0)


def test_snapstart_is_for_published_versions_of_the_inference_function(
    template_of: Callable[[str], Template],
) -> None:
    template = template_of('cold_start = "snapstart"\n')
    restored = template.find_resources(FUNCTION, {"Properties": {"SnapStart": {"ApplyOn": "PublishedVersions"}}})
    assert [item["Properties"]["FunctionName"] for item in restored.values()] == ["shop-dev-churn"]
    template.has_resource_properties(ALIAS, {"ProvisionedConcurrencyConfig": Match.absent()})


def test_snapstart_makes_another_version(template_of: Callable[[str], Template]) -> None:
    plain, restored = (set(template_of(text).find_resources("AWS::Lambda::Version"))
                       for text in ("", 'cold_start = "snapstart"\n'))  # fmt: skip
    assert plain.isdisjoint(restored)


def test_a_fixed_number_of_environments_is_kept_ready_behind_the_alias(
    template_of: Callable[[str], Template],
) -> None:
    template = template_of(READY + "[endpoint.churn.provisioned]\nenvironments = 3\n")
    wanted = {"Name": "live", "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 3}}
    template.has_resource_properties(ALIAS, wanted)
    template.resource_count_is(TARGET, 0)


def test_the_number_follows_use_and_the_clock(template_of: Callable[[str], Template]) -> None:
    template = template_of(SCALED)
    template.has_resource_properties(
        TARGET,
        {
            "MinCapacity": 2,
            "MaxCapacity": 10,
            "ResourceId": "function:shop-dev-churn:live",
            "ScalableDimension": "lambda:function:ProvisionedConcurrency",
            "ScheduledActions": [
                {
                    "Schedule": "cron(0 7 ? * MON-FRI *)",
                    "ScalableTargetAction": {"MinCapacity": 5},
                    "ScheduledActionName": "schedule-1",
                    "Timezone": "Europe/Zurich",
                },
                Match.object_like({"ScalableTargetAction": {"MinCapacity": 2}}),
            ],
        },
    )
    template.has_resource_properties(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        {
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 0.7,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "LambdaProvisionedConcurrencyUtilization"
                },
            }
        },
    )


def test_a_schedule_without_use_also_scales_down(template_of: Callable[[str], Template]) -> None:
    """A minimum alone never would: tests/offline/conformance/test_applicationautoscaling.py."""
    (target,) = template_of(SCALED.replace("target_percent = 70\n", "")).find_resources(TARGET).values()
    actions = [action["ScalableTargetAction"] for action in target["Properties"]["ScheduledActions"]]

    assert actions == [{"MinCapacity": 5, "MaxCapacity": 5}, {"MinCapacity": 2, "MaxCapacity": 2}]


def test_scaling_begins_once_the_alias_is_there(template_of: Callable[[str], Template]) -> None:
    template = template_of(SCALED)
    (alias,) = template.find_resources(ALIAS)
    assert all(alias in found["DependsOn"] for found in template.find_resources(TARGET).values())


@pytest.mark.slow
@pytest.mark.parametrize("text", ['cold_start = "snapstart"\n', SCALED], ids=["snapstart", "provisioned"])
def test_cloudformation_finds_nothing_wrong(template_of: Callable[[str], Template], text: str) -> None:
    import json

    found = cfn_lint(json.dumps(template_of(text).to_json()), regions=["us-east-1"])
    assert [str(match) for match in found] == []


@pytest.mark.parametrize(
    ("text", "severity", "key", "said"),
    [
        (
            "[endpoint.churn.provisioned]\nenvironments = 2\n",
            "warning", "provisioned.environments", 'cold_start is "none", so it has no effect',
        ),
        (
            'cold_start = "snapstart"\n[endpoint.churn.provisioned]\nenvironments = 2\n',
            "warning", "provisioned.environments", 'cold_start is "snapstart"',
        ),
        (
            READY + "[endpoint.churn.provisioned]\nmaximum = 4\n",
            "warning", "provisioned.maximum", "target_percent is unset",
        ),
        (
            READY + "reserved_concurrency = 2\n[endpoint.churn.provisioned]\nenvironments = 3\n",
            "error", "reserved_concurrency", "2 is less than the 3 environments",
        ),
        (
            READY + "[endpoint.churn.provisioned]\nenvironments = 3\nmaximum = 2\n",
            "error", "provisioned.maximum", "2 is less than another count",
        ),
        (
            READY + "[endpoint.churn.provisioned]\nenvironments = 3\ntarget_percent = 70\n",
            "error", "provisioned.target_percent", "nothing to scale between 3 and 3",
        ),
        (SCALED, "error", "cold_start", "Lambda may reject weights"),
        (
            READY + '[endpoint.churn.rollout]\nstrategy = "linear"\n',
            "error", "cold_start", "strategy linear splits traffic by weights",
        ),
    ],
)  # fmt: skip
def test_clashes_are_told(tmp_path: Path, text: str, severity: str, key: str, said: str) -> None:
    (tmp_path / "serinus.toml").write_text(BASE + text, encoding="utf-8")
    found = [finding for finding in lint(tmp_path, "dev") if finding.key == f"endpoint.churn.{key}"]
    assert any(finding.severity == severity and said in finding.what for finding in found)


@pytest.mark.parametrize("strategy", ["blue_green", "all_at_once"])
def test_environments_are_kept_ready_where_no_strategy_sets_weights(tmp_path: Path, strategy: str) -> None:
    text = f'{BASE}{READY}[endpoint.churn.rollout]\nstrategy = "{strategy}"\n'
    (tmp_path / "serinus.toml").write_text(text, encoding="utf-8")
    assert not [finding for finding in lint(tmp_path, "dev") if finding.severity == "error"]


@pytest.mark.parametrize("at", ["rate(5 minutes)", "0 7 * * *", "cron(0 7 * * *)", "cron(0 7 * * MON *)"])
def test_a_time_that_scaling_cannot_read_is_refused(tmp_path: Path, at: str) -> None:
    text = BASE + READY + f'[endpoint.churn.provisioned]\nschedule = {{ "{at}" = 2 }}\n'
    (tmp_path / "serinus.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="one of the two days being"):
        load_settings(tmp_path / "serinus.toml", "dev")
