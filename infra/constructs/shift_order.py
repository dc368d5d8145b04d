"""Everything else in a stack is in place before the alias moves.

CloudFormation makes what depends on the alias after CodeDeploy's shift, and a failure there (a rule of the web
ACL, a domain that is taken) would undo a release that is good. AWS does not document what it then does with the
alias. So the API calls the alias by its name: on a first deploy API Gateway accepts it before there is one, as it
accepts names that only a stage variable completes
(https://docs.aws.amazon.com/apigateway/latest/developerguide/stage-variables.html). Only the permission to invoke
the alias, and what scales it, need the alias itself; a release changes neither.
"""

from collections.abc import Iterator
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


def shift_last(stack: cdk.Stack, alias: lambda_.Alias, *, after: list[Construct]) -> None:
    """Make ``alias`` the last change of ``stack``, but for permissions to invoke it and constructs ``after``."""
    resource = cast(lambda_.CfnAlias, alias.node.default_child)
    # Among the others are group and hooks, to which only the alias' update policy refers. Whether CloudFormation
    # counts such references is not documented; cfn-lint believes it, and calls these dependencies obsolete.
    resource.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3005"]}})
    last = {item.node.path for construct in after for item in _resources(construct)} | {resource.node.path}
    for other in _resources(stack):
        if other.node.path in last:
            continue
        if isinstance(other, lambda_.CfnPermission) and _invokes(stack, other, alias.alias_name):
            other.add_resource_dependency(resource)
        else:
            resource.add_resource_dependency(other)


def _invokes(stack: cdk.Stack, permission: lambda_.CfnPermission, alias_name: str) -> bool:
    """Whether the permission is on the alias: its ARN ends with the name."""
    function = stack.resolve(permission.function_name)
    return isinstance(function, dict) and str(function.get("Fn::Join", ["", [""]])[1][-1]) == f":{alias_name}"


def _resources(construct: Construct) -> Iterator[cdk.CfnResource]:
    for child in construct.node.find_all():
        if cdk.CfnResource.is_cfn_resource(child):
            yield cast(cdk.CfnResource, child)
