"""CodeDeploy's rules for Lambda: how traffic shifts, and by which configurations."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_a_canary_shifts_in_two_increments(bench: Any) -> None:
    """Canary10Percent5Minutes sends 10 percent at once and the rest five minutes later.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
    """
    release = bench.release()
    deployment = release.deploy()
    assert release.alias == ("1", {"2": 0.1})
    bench.cloud.advance(minutes=4.9)
    assert release.alias == ("1", {"2": 0.1})
    bench.cloud.advance(minutes=0.1)
    assert release.alias == ("2", {})
    assert bench.info(deployment)["status"] == "Succeeded"


def test_a_linear_shift_has_equal_increments(bench: Any) -> None:
    """Linear10PercentEvery1Minute adds 10 percent a minute until all traffic has moved.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
    """
    release = bench.release("LambdaLinear10PercentEvery1Minute")
    release.deploy()
    shares = []
    for _ in range(10):
        version, weights = release.alias
        shares.append(1.0 if version == "2" else weights["2"])
        bench.cloud.advance(minutes=1)
    assert shares == pytest.approx([step / 10 for step in range(1, 11)])


def test_all_at_once_shifts_at_once(bench: Any) -> None:
    """LambdaAllAtOnce moves all traffic in one step.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html
    """
    release = bench.release("LambdaAllAtOnce")
    deployment = release.deploy()
    assert release.alias == ("2", {})
    assert bench.info(deployment)["status"] == "Succeeded"


@pytest.mark.parametrize(
    ("name", "routing"),
    [(f"LambdaCanary10Percent{minutes}Minutes", ("TimeBasedCanary", 10, minutes)) for minutes in (5, 10, 15, 30)]
    + [
        (f"LambdaLinear10PercentEvery{text}", ("TimeBasedLinear", 10, minutes))
        for text, minutes in (("1Minute", 1), ("2Minutes", 2), ("3Minutes", 3), ("10Minutes", 10))
    ],
)
def test_predefined_configurations(bench: Any, name: str, routing: tuple[str, int, int]) -> None:
    """The predefined configurations for Lambda and what they mean.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html#deployment-configurations-predefined-lambda
    """
    info = bench.codedeploy.get_deployment_config(deploymentConfigName=f"CodeDeployDefault.{name}")
    config = info["deploymentConfigInfo"]["trafficRoutingConfig"]
    steps = config.get("timeBasedCanary") or config.get("timeBasedLinear")
    assert (config["type"], *steps.values()) == routing
    assert info["deploymentConfigInfo"]["computePlatform"] == "Lambda"


def test_a_custom_configuration_is_obeyed(bench: Any) -> None:
    """A custom configuration shifts by its own percentage and interval.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations-create.html
    """
    bench.codedeploy.create_deployment_config(
        deploymentConfigName="MyLinear40",
        computePlatform="Lambda",
        trafficRoutingConfig={
            "type": "TimeBasedLinear",
            "timeBasedLinear": {"linearPercentage": 40, "linearInterval": 2},
        },
    )
    release = bench.release("MyLinear40")
    release.deploy()
    shares = [release.alias]
    for _ in range(2):
        bench.cloud.advance(minutes=2)
        shares.append(release.alias)
    assert shares == [("1", {"2": 0.4}), ("1", {"2": 0.8}), ("2", {})]


@pytest.mark.parametrize(
    "routing",
    [
        {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 100, "canaryInterval": 5}},
        {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 2881}},
        {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": 321}},
        {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 0, "linearInterval": 1}},
    ],
    ids=["100 percent", "2881 minutes", "9 times 321 minutes", "0 percent"],
)
def test_custom_configurations_have_limits(bench: Any, routing: dict[str, Any]) -> None:
    """A step shifts at most 99 percent, and first and last shift are at most 2880 minutes apart.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html#limits-deployment-configurations
    """
    with pytest.raises(ClientError) as error:
        bench.codedeploy.create_deployment_config(
            deploymentConfigName="MyWrong", computePlatform="Lambda", trafficRoutingConfig=routing
        )
    assert error.value.response["Error"]["Code"] == "InvalidTrafficRoutingConfigurationException"


def test_the_prefix_of_predefined_names_is_reserved(bench: Any) -> None:
    """A custom configuration's name must not begin with CodeDeployDefault.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html#limits-deployment-configurations
    """
    with pytest.raises(ClientError) as error:
        bench.codedeploy.create_deployment_config(
            deploymentConfigName="CodeDeployDefault.Mine",
            computePlatform="Lambda",
            trafficRoutingConfig={"type": "AllAtOnce"},
        )
    assert error.value.response["Error"]["Code"] == "InvalidDeploymentConfigNameException"
