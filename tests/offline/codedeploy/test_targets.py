"""What a deployment's target states of the function: its weight's unit, and nothing before traffic is shifted."""

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[..., None]


@pytest.mark.parametrize(("reading", "weight"), [("percentage", 10), ("fraction", 0.1)])
def test_the_weight_of_a_tenth(bench: Any, play: Play, reading: str, weight: float) -> None:
    play(bench.cloud.cloud, target_version_weight=reading)
    bench.group()
    deployment = bench.deploy()
    assert bench.target(deployment)["lambdaFunctionInfo"]["targetVersionWeight"] == weight


@pytest.mark.parametrize("reading", ["present", "absent"])
def test_the_function_before_and_while_traffic_is_shifted(bench: Any, play: Play, reading: str) -> None:
    play(bench.cloud.cloud, function_info_in_hooks=reading)
    bench.group()
    deployment = bench.deploy(BeforeAllowTraffic="slow")
    assert ("lambdaFunctionInfo" in bench.target(deployment)) == (reading == "present")
    bench.lambda_.answer(bench.lambda_.invoked[0][1], "Succeeded")
    bench.cloud.advance()
    assert bench.target(deployment)["lambdaFunctionInfo"]["targetVersion"] == "2"
