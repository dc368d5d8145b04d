"""After a deploy that failed, its command says which version serves and what state the stack is in."""

from datetime import UTC, datetime

import pytest

from serinus.cli.endpoints import DeployedStack
from serinus.cli.failed_deploy import sentences
from serinus.cli.release_reader import AliasState

SERVES = "version 6 answers all requests of churn"


def said(status: str | None, alias: AliasState | None = AliasState("6")) -> list[str]:  # noqa: B008 - is frozen
    deployed = None if status is None else DeployedStack("shop-prod-churn", status, {}, datetime.now(UTC))
    return list(sentences("churn", deployed, alias, " --env prod"))


def test_a_stack_that_was_rolled_back_needs_nothing() -> None:
    assert said("UPDATE_ROLLBACK_COMPLETE") == [SERVES]


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_FAILED", "ROLLBACK_FAILED"])
def test_a_stuck_stack_is_named_with_what_frees_it(status: str) -> None:
    serves, stuck = said(status)
    assert serves == SERVES
    assert f"shop-prod-churn is {status} and accepts no deploy. The runbook" in stuck


def test_a_stack_that_still_returns_can_be_followed() -> None:
    """As where CloudFormation returns the alias by another shift."""
    split, going = said("UPDATE_ROLLBACK_IN_PROGRESS", AliasState("6", "7", 0.1))
    assert split == "version 7 answers 10% of the requests of churn, version 6 the rest"
    assert going.endswith("UPDATE_ROLLBACK_IN_PROGRESS: `serinus rollout watch churn --env prod` follows it")


def test_nothing_is_said_of_what_is_not_there() -> None:
    assert said(None, None) == []
