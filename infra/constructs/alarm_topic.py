"""The topic of an environment as other stacks refer to it: by its ARN, which follows from its name.

A reference by export would forbid CloudFormation to delete or replace the topic while any endpoint uses it.
"""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from serinus.infra.settings import Settings


def topic_arn(stack: cdk.Stack, settings: Settings) -> str | None:
    """The topic of the environment in the account and region of ``stack``; None if its settings need none."""
    if not settings.operations.has_topic:
        return None
    return stack.format_arn(service="sns", resource=settings.shared_stack or "")


def notify(alarm: cloudwatch.Alarm, topic_arn: str | None, *, of_end: bool = False) -> None:
    """Publish to the topic when ``alarm`` fires, and when it is OK again if ``of_end``."""
    if topic_arn is None:
        return
    resource = cast(cloudwatch.CfnAlarm, alarm.node.default_child)
    resource.alarm_actions = [topic_arn]
    if of_end:
        resource.ok_actions = [topic_arn]
