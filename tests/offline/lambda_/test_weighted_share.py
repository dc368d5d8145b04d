"""The share of an alias' second version over many requests that really run."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from serinus.offline.cloud.cloud import Cloud

pytestmark = pytest.mark.slow

#: So few at once that both versions have room for their workers.
AT_ONCE = 4
REQUESTS, WEIGHT = 5_000, 0.1
HANDLER = "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_FUNCTION_VERSION']\n"


def test_the_share_of_5000_requests_is_within_three_standard_errors_of_the_weight(
    cloud: Cloud, aws: Callable[..., Any], deploy_function: Callable[..., str], zip_of: Callable[..., bytes]
) -> None:
    functions, name = aws("lambda"), deploy_function(HANDLER)
    functions.publish_version(FunctionName=name)
    functions.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": HANDLER + "# 2\n"}))
    functions.publish_version(FunctionName=name)
    functions.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": WEIGHT}},
    )
    service: Any = cloud.services.lambda_
    service.dice.seed(5)  # fair dice would fail this test once in 370 runs

    async def client() -> Counter[str]:
        executed: Counter[str] = Counter()
        for _ in range(REQUESTS // AT_ONCE):
            result = await service.invoke(name, "live", b"{}", region="us-east-1")
            assert result.function_error is None
            executed[result.executed_version] += 1
        return executed

    async def all_clients() -> Counter[str]:
        return sum(await asyncio.gather(*(client() for _ in range(AT_ONCE))), Counter())

    assert cloud.loop is not None
    executed = asyncio.run_coroutine_threadsafe(all_clients(), cloud.loop).result(timeout=120)
    assert sum(executed.values()) == REQUESTS
    standard_error = (WEIGHT * (1 - WEIGHT) / REQUESTS) ** 0.5
    assert abs(executed["2"] / REQUESTS - WEIGHT) < 3 * standard_error
