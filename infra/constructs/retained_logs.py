"""Log groups that outlive their stack: its deletion, and the rollback of its first create.

A group that is left behind under a fixed name would refuse the next create of the stack, so each name ends with a
part of the stack's id, which no other stack has.
"""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs


def retain_log_groups(stack: cdk.Stack) -> None:
    """Retain every log group of ``stack``, under its name, a slash and the first part of the stack's UUID."""
    # arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/UUID
    uuid = cdk.Fn.select(2, cdk.Fn.split("/", stack.stack_id))
    suffix = cdk.Fn.select(0, cdk.Fn.split("-", uuid))
    for construct in stack.node.find_all():
        if isinstance(construct, logs.CfnLogGroup):
            construct.log_group_name = cdk.Fn.join("", [f"{construct.log_group_name}/", suffix])
            construct.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
