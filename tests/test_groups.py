"""Tests that share something dear (a cloud, a deploy) are kept together by `xdist_group`."""

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="the tests run in one process")
@pytest.mark.xdist_group("together")
def test_groups_of_tests_are_kept_together(request: pytest.FixtureRequest) -> None:
    """The distributor knows a group by the end of the test's name; where it is lost, each process would make its
    own cloud and its own deploy."""
    assert request.node.nodeid.endswith("@together")
