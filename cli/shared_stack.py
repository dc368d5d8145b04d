"""The shared stack of an environment, which no endpoint's stack refers to: how it is shown and when it is deleted.

The CDK CLI deploys it before the endpoints, as a dependency of theirs, but never deletes it: not with the last
endpoint, and not once the settings no longer need it, since the app then lacks it.
"""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import botocore.exceptions

from serinus.cli.console import notice, step
from serinus.cli.errors import CliError
from serinus.cli.orphaned_stacks import deployed_stacks
from serinus.cli.target import CloudTarget
from serinus.infra.names import SHARED_OUTPUTS, shared_stack_name
from serinus.infra.settings import Settings

_BUCKET, _DASHBOARD, _TOPIC = "AWS::S3::Bucket", "AWS::CloudWatch::Dashboard", "AWS::SNS::Topic"
_PENDING = "PendingConfirmation"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Who is notified: a mail address, or an address to which a chat or a program listens."""

    protocol: str
    address: str
    confirmed: bool

    def __str__(self) -> str:
        return self.address if self.confirmed else f"{self.address} (has not confirmed)"


@dataclass(frozen=True, slots=True)
class SharedOverview:
    """What is deployed of a shared stack; ``bucket`` is its monitor's."""

    stack: str
    status: str
    dashboard: str | None
    topic: str | None
    subscribers: tuple[Subscriber, ...]
    bucket: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def observe_shared(target: CloudTarget, settings: Settings) -> SharedOverview | None:
    """The shared stack of an environment as it is deployed; None if it is not. Raises `CliError` if it cannot be
    read."""
    stack = shared_stack_name(settings.project, settings.environment)
    try:
        status = _status(target, stack)
        if status is None:
            return None
        resources = target.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        ids = {
            item["ResourceType"]: item["PhysicalResourceId"] for item in resources if "PhysicalResourceId" in item
        }
        topic = ids.get(_TOPIC)
        subscribers = tuple(_subscribers(target, topic)) if topic else ()
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise CliError(f"{target.name} did not describe stack {stack}: {error}") from error
    return SharedOverview(stack, status, ids.get(_DASHBOARD), topic, subscribers, ids.get(_BUCKET))


def delete_unused(target: CloudTarget, settings: Settings, released: Collection[str]) -> bool:
    """Delete the shared stack unless another endpoint than the stacks ``released`` is deployed, which may still
    name its topic; returns whether it was deleted. Raises `CliError` if CloudFormation refuses."""
    stack = shared_stack_name(settings.project, settings.environment)
    try:
        if _status(target, stack) is None:
            return False
        if others := sorted({item.stack for item in deployed_stacks(target, settings)} - set(released)):
            notice(f"kept {stack}, which {', '.join(others)} may use")
            return False
        cloudformation = target.client("cloudformation")
        kept = _monitor_bucket(cloudformation, stack)
        with step(f"deleting {stack}"):
            cloudformation.delete_stack(StackName=stack)
            pause = {"WaiterConfig": {"Delay": target.pause_s, "MaxAttempts": 240}}
            cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, **pause)
        if kept:
            notice(
                f"kept the bucket {kept}, with what the monitor counted and found; "
                f"`aws s3 rb s3://{kept} --force` removes it"
            )
    except (
        botocore.exceptions.ClientError,
        botocore.exceptions.BotoCoreError,
    ) as error:  # a WaiterError is a BotoCoreError
        raise CliError(
            f"{stack}, which no endpoint uses any more, may still exist: {error} Delete it with "
            f"`aws cloudformation delete-stack --stack-name {stack}`."
        ) from error
    return True


def _monitor_bucket(cloudformation: Any, stack: str) -> str | None:
    """The bucket of a stack's monitor, which outlives the stack."""
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Outputs", [])
    return next((item["OutputValue"] for item in outputs if item["OutputKey"] == SHARED_OUTPUTS.bucket), None)


def _status(target: CloudTarget, stack: str) -> str | None:
    try:
        described = target.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except botocore.exceptions.ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return str(described["StackStatus"])


def _subscribers(target: CloudTarget, topic: str) -> Iterator[Subscriber]:
    pages = target.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    for page in pages:
        for item in page["Subscriptions"]:
            yield Subscriber(item["Protocol"], item["Endpoint"], item["SubscriptionArn"] != _PENDING)
