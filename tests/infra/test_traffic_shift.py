import pytest

from serinus.infra.settings import RolloutSettings
from serinus.infra.traffic_shift import ALL_AT_ONCE, Steps, shift_of
from serinus.offline.services.codedeploy.traffic import predefined


@pytest.mark.parametrize(
    ("rollout", "name"),
    [
        (RolloutSettings(), "CodeDeployDefault.LambdaCanary10Percent15Minutes"),
        (RolloutSettings(bake_minutes=5), "CodeDeployDefault.LambdaCanary10Percent5Minutes"),
        (RolloutSettings(bake_minutes=30), "CodeDeployDefault.LambdaCanary10Percent30Minutes"),
        (RolloutSettings(strategy="linear"), "CodeDeployDefault.LambdaLinear10PercentEvery2Minutes"),
        (RolloutSettings(bake_minutes=10), "CodeDeployDefault.LambdaCanary10Percent10Minutes"),
        (
            RolloutSettings(strategy="linear", interval_minutes=1),
            "CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
        ),
        (
            RolloutSettings(strategy="linear", interval_minutes=3),
            "CodeDeployDefault.LambdaLinear10PercentEvery3Minutes",
        ),
        (RolloutSettings(strategy="blue_green"), ALL_AT_ONCE),
        (RolloutSettings(strategy="all_at_once"), ALL_AT_ONCE),
    ],
)
def test_where_aws_has_a_configuration_it_is_used(rollout: RolloutSettings, name: str) -> None:
    shift = shift_of(rollout)

    assert (shift.predefined, shift.steps) == (name, None)
    assert name in predefined()


@pytest.mark.parametrize(
    ("rollout", "steps", "minutes"),
    [
        (RolloutSettings(share_percent=5), Steps("TimeBasedCanary", 5, 15), 15),
        (RolloutSettings(bake_minutes=45), Steps("TimeBasedCanary", 10, 45), 45),
        (RolloutSettings(strategy="linear", step_percent=30), Steps("TimeBasedLinear", 30, 2), 6),
        (RolloutSettings(strategy="linear", interval_minutes=4), Steps("TimeBasedLinear", 10, 4), 36),
    ],
)
def test_other_steps_make_a_configuration(rollout: RolloutSettings, steps: Steps, minutes: int) -> None:
    shift = shift_of(rollout)

    assert (shift.predefined, shift.steps, shift.minutes) == (None, steps, minutes)


@pytest.mark.parametrize(
    ("strategy", "minutes"), [("canary", 15), ("linear", 18), ("blue_green", 15), ("all_at_once", 0)]
)
def test_the_judge_is_told_how_long_it_has(strategy: str, minutes: int) -> None:
    assert shift_of(RolloutSettings.model_validate({"strategy": strategy})).judged_minutes == minutes
