"""Provisioned concurrency as templates ask for it: a fixed number works, scaling by use is refused by name."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def template(role: str, release: int = 1, environments: int = 2) -> dict[str, Any]:
    """An alias of a release that keeps environments ready."""
    code = "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
    code += f"# release {release}\n"
    return {
        "Resources": {
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": role,
                    "Code": {"ZipFile": code},
                },
            },
            f"Version{release}": {
                "Type": "AWS::Lambda::Version",
                "DeletionPolicy": "Retain",
                "Properties": {"FunctionName": {"Ref": "Function"}},
            },
            "Alias": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "Name": "live",
                    "FunctionName": {"Ref": "Function"},
                    "FunctionVersion": {"Fn::GetAtt": [f"Version{release}", "Version"]},
                    "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": environments},
                },
            },
        },
        "Outputs": {"Function": {"Value": {"Ref": "Function"}}},
    }


def test_an_alias_keeps_its_environments_ready(aws: Any, stacks: Any, lambda_role: str) -> None:
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-alias.html"""
    stack = stacks.stack(stacks.create(template(lambda_role)))
    which = {"FunctionName": stack["Outputs"][0]["OutputValue"], "Qualifier": "live"}
    ready = aws("lambda").get_provisioned_concurrency_config(**which)
    assert (ready["Status"], ready["AllocatedProvisionedConcurrentExecutions"]) == ("READY", 2)
    assert aws("lambda").invoke(**which)["Payload"].read() == b'"provisioned-concurrency"'


@pytest.mark.parametrize(
    ("reading", "status"), [("accepted", "UPDATE_COMPLETE"), ("refused", "UPDATE_ROLLBACK_COMPLETE")]
)
def test_version_and_environments_may_change_together_or_not(
    stacks: Any, cloud: Any, play: Callable[..., None], lambda_role: str, reading: str, status: str
) -> None:
    """Whether an alias' version and provisioned concurrency can change in one update is a reading.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-alias.html
    """
    play(cloud, alias_with_provisioned=reading)
    stack = stacks.create(template(lambda_role))
    assert stacks.update(stack, template(lambda_role, release=2, environments=1)) == status
    if reading == "refused":
        assert stacks.update(stack, template(lambda_role, release=3)) == "UPDATE_COMPLETE"
        assert stacks.update(stack, template(lambda_role, release=3, environments=1)) == "UPDATE_COMPLETE"


def test_scaling_by_use_is_refused_by_name(aws: Any) -> None:
    """Scaling of provisioned environments by use is refused by name.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
    """
    policy = {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "PolicyName": "use",
            "PolicyType": "TargetTrackingScaling",
            "ResourceId": "function:any:live",
            "ScalableDimension": "lambda:function:ProvisionedConcurrency",
            "ServiceNamespace": "lambda",
        },
    }
    with pytest.raises(ClientError, match=r"does not model .* AWS::ApplicationAutoScaling::ScalingPolicy"):
        aws("cloudformation").create_stack(
            StackName="scaled", TemplateBody=json.dumps({"Resources": {"Policy": policy}})
        )
