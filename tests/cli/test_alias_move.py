"""An alias is moved by hand also while Lambda makes its environments ready; its stack is updated only after."""

from collections.abc import Iterator
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.stub import Stubber

from serinus.cli import alias_move
from serinus.cli.alias_move import move_alias, wait_for_environments
from serinus.cli.errors import CliError

NAME = "shop-prod-churn"
WHERE = {"FunctionName": NAME, "Qualifier": "live"}
UPDATE = {
    "FunctionName": NAME,
    "Name": "live",
    "FunctionVersion": "6",
    "RoutingConfig": {"AdditionalVersionWeights": {}},
}
ALIAS = {"FunctionName": NAME, "Name": "live"}
REFUSAL = "Alias with weights can not be used with Provisioned Concurrency"


@pytest.fixture
def functions() -> Iterator[Any]:
    """Lambda's client, with the answers that a test adds, in their order."""
    client = boto3.client("lambda", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="s")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def config(status: str, requested: int = 3) -> dict[str, Any]:
    return {"RequestedProvisionedConcurrentExecutions": requested, "Status": status}


def refuse(stubber: Stubber, code: str = "InvalidParameterValueException") -> None:
    stubber.add_client_error("update_alias", code, REFUSAL, expected_params=UPDATE)


def have_no_environments(stubber: Stubber) -> None:
    stubber.add_client_error(
        "get_provisioned_concurrency_config",
        "ProvisionedConcurrencyConfigNotFoundException",
        expected_params=WHERE,
    )


def test_an_alias_without_ready_environments_is_moved_and_nothing_else(functions: Any) -> None:
    client, stubber = functions
    stubber.add_response("update_alias", {}, UPDATE)
    move_alias(client, NAME, "6")


@pytest.mark.parametrize("code", ["InvalidParameterValueException", "ResourceConflictException"])
def test_environments_that_stand_in_the_way_are_given_up_and_requested_again(functions: Any, code: str) -> None:
    client, stubber = functions
    refuse(stubber, code)
    stubber.add_response("get_provisioned_concurrency_config", config("IN_PROGRESS"), WHERE)
    stubber.add_response("delete_provisioned_concurrency_config", {}, WHERE)
    stubber.add_response("update_alias", {}, UPDATE)
    requested = {**WHERE, "ProvisionedConcurrentExecutions": 3}
    stubber.add_response("put_provisioned_concurrency_config", {}, requested)
    move_alias(client, NAME, "6")


def test_they_are_requested_again_though_the_alias_still_does_not_move(functions: Any) -> None:
    client, stubber = functions
    refuse(stubber)
    stubber.add_response("get_provisioned_concurrency_config", config("READY"), WHERE)
    stubber.add_response("delete_provisioned_concurrency_config", {}, WHERE)
    refuse(stubber)
    stubber.add_response("put_provisioned_concurrency_config", {})
    with pytest.raises(botocore.exceptions.ClientError, match=REFUSAL):
        move_alias(client, NAME, "6")


def test_another_refusal_is_reported_as_it_is(functions: Any) -> None:
    client, stubber = functions
    refuse(stubber)
    have_no_environments(stubber)
    with pytest.raises(botocore.exceptions.ClientError, match=REFUSAL):
        move_alias(client, NAME, "6")


def test_the_stack_waits_for_environments_and_for_lambdas_own_weights(functions: Any) -> None:
    client, stubber = functions
    stubber.add_response("get_provisioned_concurrency_config", config("IN_PROGRESS"), WHERE)
    for weights in ({"5": 1.0}, {}):
        stubber.add_response("get_provisioned_concurrency_config", config("READY"), WHERE)
        stubber.add_response("get_alias", {"RoutingConfig": {"AdditionalVersionWeights": weights}}, ALIAS)
    wait_for_environments(client, NAME, 0.0)


@pytest.mark.parametrize("code", ["ProvisionedConcurrencyConfigNotFoundException", "AccessDeniedException"])
def test_nothing_is_waited_for_without_environments_or_a_permission_to_see_them(functions: Any, code: str) -> None:
    client, stubber = functions
    stubber.add_client_error("get_provisioned_concurrency_config", code, expected_params=WHERE)
    wait_for_environments(client, NAME, 0.0)


def test_a_wait_without_end_says_what_to_do(functions: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, stubber = functions
    monkeypatch.setattr(alias_move, "_LONGEST_ALLOCATION_S", -1.0)
    stubber.add_response("get_provisioned_concurrency_config", config("IN_PROGRESS"), WHERE)
    with pytest.raises(CliError, match=r"still getting its environments ready.*Run the same command again"):
        wait_for_environments(client, NAME, 0.0)
