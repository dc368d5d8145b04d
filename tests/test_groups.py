"""Tests that share something dear (a cloud, a deploy) are kept together by `xdist_group`."""

import ast
import os
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="the tests run in one process")
@pytest.mark.xdist_group("together")
def test_groups_of_tests_are_kept_together(request: pytest.FixtureRequest) -> None:
    """The distributor knows a group by the end of the test's name; where it is lost, each process would make its
    own cloud and its own deploy."""
    assert request.node.nodeid.endswith("@together")


def test_no_test_deletes_what_another_tests_cloud_keeps() -> None:
    """A cloud lives in the process of its tests and keeps its resources in moto; `with mock_aws()` deletes them.
    Text that a test runs in a process of its own may use it, and tests here use `moto_bucket`."""
    called = [
        f"{path.relative_to(TESTS)}:{node.lineno}"
        for path in TESTS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "mock_aws"
    ]
    assert [place.rpartition(":")[0] for place in called] == ["conftest.py"], called
