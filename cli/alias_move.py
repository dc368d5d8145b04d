"""Moves an alias by hand, also one that keeps environments ready.

Lambda sets weights of its own on such an alias while it makes the other version's environments ready, and rejects
changes meanwhile: "Alias with weights can not be used with Provisioned Concurrency"
(https://github.com/hashicorp/terraform/issues/24957, https://github.com/hashicorp/terraform-provider-aws/pull/48116).
Going back must not fail for that reason: requests that find no ready environment are served by a cold one.
"""

import time
from typing import Any

import botocore.exceptions

from serinus.cli.console import notice
from serinus.cli.errors import CliError
from serinus.infra.names import ALIAS

#: Errors of Lambda about an alias or environments that are in the middle of another change.
_REFUSALS = ("InvalidParameterValueException", "ResourceConflictException")
#: Errors for an alias that keeps none, or of whose environments the caller may not know: the alias comes first.
_UNKNOWN = (
    "AccessDeniedException",
    "ProvisionedConcurrencyConfigNotFoundException",
    "ResourceNotFoundException",
)
#: Lambda allocates environments within minutes.
_LONGEST_ALLOCATION_S = 600.0


def move_alias(functions: Any, function: str, version: str) -> None:
    """Point the alias of ``function`` to ``version`` for all requests. If Lambda refuses because the alias keeps
    environments ready, these are given up and requested again for the other version."""
    try:
        _update(functions, function, version)
        return
    except botocore.exceptions.ClientError as error:
        ready = _ready_environments(functions, function)
        if error.response["Error"]["Code"] not in _REFUSALS or ready is None:
            raise
        notice(
            f"Lambda does not move an alias whose environments are being made ready: {ready} are given up first"
        )
    where = {"FunctionName": function, "Qualifier": ALIAS}
    functions.delete_provisioned_concurrency_config(**where)
    try:
        _update(functions, function, version)
    finally:
        functions.put_provisioned_concurrency_config(**where, ProvisionedConcurrentExecutions=ready)


def wait_for_environments(functions: Any, function: str, pause_s: float) -> None:
    """Wait until the alias' environments are ready and its weights gone: until then Lambda rejects a change, of
    CloudFormation too. Raises `CliError` if they are not after ten minutes."""
    deadline = time.monotonic() + _LONGEST_ALLOCATION_S
    while (state := _unsettled(functions, function)) is not None:
        if time.monotonic() > deadline:
            raise CliError(
                f"alias {ALIAS} of {function} {state} after {_LONGEST_ALLOCATION_S / 60:.0f} minutes, and its "
                "stack cannot be updated meanwhile. Run the same command again to finish."
            )
        time.sleep(pause_s)


def _update(functions: Any, function: str, version: str) -> None:
    no_weights: dict[str, float] = {}
    functions.update_alias(
        FunctionName=function,
        Name=ALIAS,
        FunctionVersion=version,
        RoutingConfig={"AdditionalVersionWeights": no_weights},
    )


def _ready_environments(functions: Any, function: str) -> int | None:
    """How many environments the alias is to keep ready; None for none."""
    config = _provisioned(functions, function)
    return None if config is None else int(config["RequestedProvisionedConcurrentExecutions"])


def _unsettled(functions: Any, function: str) -> str | None:
    """What is still under way, in words."""
    config = _provisioned(functions, function)
    if config is None:
        return None
    if config["Status"] == "IN_PROGRESS":
        return "is still getting its environments ready"
    weights = functions.get_alias(FunctionName=function, Name=ALIAS).get("RoutingConfig") or {}
    return "still has weights" if weights.get("AdditionalVersionWeights") else None


def _provisioned(functions: Any, function: str) -> dict[str, Any] | None:
    try:
        config: dict[str, Any] = functions.get_provisioned_concurrency_config(
            FunctionName=function, Qualifier=ALIAS
        )
    except botocore.exceptions.ClientError as error:
        if error.response["Error"]["Code"] in _UNKNOWN:
            return None
        raise
    return config
