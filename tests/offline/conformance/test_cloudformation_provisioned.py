"""Provisioned concurrency as templates ask for it: a fixed number works, scaling by use is refused by name."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError


def template(role: str) -> dict[str, Any]:
    """An alias that keeps two environments ready."""
    code = "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
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
            "Version": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Function"}}},
            "Alias": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "Name": "live",
                    "FunctionName": {"Ref": "Function"},
                    "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                    "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 2},
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
