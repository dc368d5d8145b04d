"""Stacks of endpoints that serinus.toml no longer has: removed, renamed, or no longer in this environment.

The CDK CLI only knows the stacks of the app, so it neither shows nor deletes these. Their tags name project,
environment and endpoint. The stack that endpoints share names no endpoint.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import botocore.exceptions

from serinus.cli.console import step
from serinus.cli.errors import CliError
from serinus.cli.target import CloudTarget, local_hint
from serinus.infra.names import SETTINGS, TAG_ENDPOINT, TAG_ENVIRONMENT, TAG_PROJECT
from serinus.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class TaggedStack:
    """A deployed stack of an endpoint, by its tags."""

    endpoint: str
    stack: str
    status: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def deployed_stacks(target: CloudTarget, settings: Settings) -> Iterator[TaggedStack]:
    """The deployed endpoints of the environment, also those that the settings no longer have. Raises botocore's
    errors."""
    ours = {TAG_PROJECT: settings.project, TAG_ENVIRONMENT: settings.environment}
    for page in target.client("cloudformation").get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
            if ours.items() <= tags.items() and TAG_ENDPOINT in tags:
                yield TaggedStack(tags[TAG_ENDPOINT], stack["StackName"], stack["StackStatus"])


def find_orphans(target: CloudTarget, settings: Settings) -> list[TaggedStack]:
    """The deployed stacks of the environment whose endpoint the settings no longer have, by name. Raises
    `CliError` if the stacks cannot be listed."""
    configured = {endpoint.name for endpoint in settings.endpoints}
    try:
        orphans = [stack for stack in deployed_stacks(target, settings) if stack.endpoint not in configured]
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise CliError(
            f"{target.name} did not list its stacks, so those that {SETTINGS} no longer names are not known (this "
            f"requires cloudformation:DescribeStacks and ListStacks on all stacks): {error}{local_hint(error)}"
        ) from error
    return sorted(orphans, key=lambda stack: stack.endpoint)


def describe_orphan(orphan: TaggedStack, environment: str, flags: str) -> str:
    """A sentence with the command that deletes it; ``flags`` make the command act on the same cloud."""
    return (
        f"{orphan.endpoint} is no longer an endpoint of {environment} in {SETTINGS}, but its stack {orphan.stack} "
        f"is deployed ({orphan.status}). `serinus destroy {orphan.endpoint}{flags}` deletes it"
    )


def delete_stacks(target: CloudTarget, stacks: Sequence[str]) -> None:
    """Delete ``stacks`` without the CDK CLI, one after another; raises `CliError` if CloudFormation refuses or
    fails, with the stacks that may remain."""
    cloudformation = target.client("cloudformation")
    for number, stack in enumerate(stacks):
        try:
            with step(f"deleting {stack}"):
                cloudformation.delete_stack(StackName=stack)
                pause = {"Delay": target.pause_s, "MaxAttempts": 1440}
                cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=pause)
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise CliError(
                f"{', '.join(stacks[number:])} may still exist: {error} `aws cloudformation describe-stack-events "
                f"--stack-name {stack}` shows why; then run the command again."
            ) from error
