"""Reserved concurrency is read as it was put, and is gone once deleted."""

from collections.abc import Callable
from typing import Any

import pytest


def test_reserved_concurrency_is_read_until_it_is_deleted(
    aws: Callable[..., Any], deploy_function: Callable[..., str]
) -> None:
    functions, name = aws("lambda"), deploy_function("def handler(event, context): ...")
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    assert functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 3
    assert functions.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    functions.delete_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)


def test_the_concurrency_of_no_function_is_not_found(aws: Callable[..., Any]) -> None:
    with pytest.raises(aws("lambda").exceptions.ResourceNotFoundException, match="function:missing"):
        aws("lambda").get_function_concurrency(FunctionName="missing")
