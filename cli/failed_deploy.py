"""What stands after a deploy that failed: which version serves, and whether the stack needs a hand.

CloudFormation may return an alias at once or by another shift, and the CDK CLI's output shows neither.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import botocore.exceptions

from serinus.cli.errors import CliError

if TYPE_CHECKING:
    from serinus.cli.context import CommandContext
    from serinus.cli.endpoints import DeployedStack
    from serinus.cli.release_reader import AliasState

#: Statuses from which CloudFormation accepts no further update.
_STUCK = ("UPDATE_ROLLBACK_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_FAILED")


def state_after_failure(context: "CommandContext", name: str, stack: str) -> list[str]:
    """The state of endpoint ``name`` in sentences; empty if it cannot be read, or there is nothing of it."""
    from serinus.cli.endpoints import describe_stack
    from serinus.cli.release_reader import RolloutReader

    deployed = alias = None
    with contextlib.suppress(botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError, CliError):
        deployed = describe_stack(context.target, stack)
        alias = RolloutReader(context.target, stack).alias()
    return list(sentences(name, deployed, alias, context.cli_flags))


def sentences(
    name: str, deployed: "DeployedStack | None", alias: "AliasState | None", flags: str
) -> Iterator[str]:
    """What is known of the stack and its alias, in words."""
    if alias is not None:
        served = f"version {alias.version} answers all requests of {name}"
        if alias.canary is not None:
            served = f"version {alias.canary} answers {alias.weight:.0%} of the requests of {name}, version "
            served += f"{alias.version} the rest"
        yield served
    if deployed is None:
        return
    if deployed.status.endswith("_IN_PROGRESS"):
        follow = f"`serinus rollout watch {name}{flags}` follows it"
        yield f"stack {deployed.stack} is still {deployed.status}: {follow}"
    elif deployed.status in _STUCK:
        yield (
            f"stack {deployed.stack} is {deployed.status} and accepts no deploy. The runbook in "
            "docs/operations.md frees it."
        )
