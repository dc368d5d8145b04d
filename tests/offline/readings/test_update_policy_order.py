"""References in an alias' UpdatePolicy order resources, or let it be shifted before its group is updated."""

import json
from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[..., None]
CAUSES = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]


def template(role: str, number: int, *, shifts: bool = True, **alias: Any) -> dict[str, Any]:
    """Release ``number``, whose deployment group is changed with it; ``shifts``: by CodeDeploy."""
    group = {
        "ApplicationName": {"Ref": "Application"},
        "ServiceRoleArn": role,
        "DeploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
        "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
        "AutoRollbackConfiguration": {"Enabled": True, "Events": CAUSES[:number]},
    }
    policy = {"ApplicationName": {"Ref": "Application"}, "DeploymentGroupName": {"Ref": "Group"}}
    resources = {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": role,
                "Code": {"ZipFile": f"def handler(event, context):\n    return {number}\n"},
            },
        },
        f"Version{number}": {
            "Type": "AWS::Lambda::Version",
            "DeletionPolicy": "Retain",
            "Properties": {"FunctionName": {"Ref": "Function"}, "Description": f"release {number}"},
        },
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Name": "live",
                "FunctionVersion": {"Fn::GetAtt": [f"Version{number}", "Version"]},
            },
            **({"UpdatePolicy": {"CodeDeployLambdaAliasUpdate": policy}} if shifts else {}),
            **alias,
        },
    }
    if shifts:
        resources["Application"] = {
            "Type": "AWS::CodeDeploy::Application",
            "Properties": {"ComputePlatform": "Lambda"},
        }
        resources["Group"] = {"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": group}
    return {"Resources": resources}


def order_of_updates(stacks: Any, stack: str) -> list[str]:
    """The alias and the group, in the order in which their updates began."""
    begun = [name for name, status, _ in stacks.events(stack) if status == "UPDATE_IN_PROGRESS"]
    return [name for name in dict.fromkeys(begun) if name in ("Alias", "Group")]


@pytest.mark.parametrize(
    ("reading", "dependency", "order"),
    [
        ("yes", {}, ["Group", "Alias"]),
        ("no", {}, ["Alias", "Group"]),
        ("no", {"DependsOn": "Group"}, ["Group", "Alias"]),
    ],
)
def test_a_group_that_changes_with_the_release(
    stacks: Any, cloud: Any, play: Play, lambda_role: str, reading: str, dependency: Any, order: list[str]
) -> None:
    play(cloud, update_policy_order=reading)
    stack = stacks.create(template(lambda_role, 1, **dependency))
    assert stacks.update(stack, template(lambda_role, 2, **dependency)) == "UPDATE_COMPLETE"
    assert order_of_updates(stacks, stack) == order


@pytest.mark.parametrize(("reading", "status"), [("yes", "UPDATE_COMPLETE"), ("no", "UPDATE_ROLLBACK_COMPLETE")])
def test_a_group_that_is_new_with_the_release(
    stacks: Any, cloud: Any, play: Play, lambda_role: str, reading: str, status: str
) -> None:
    play(cloud, update_policy_order=reading)
    stack = stacks.create(template(lambda_role, 1, shifts=False))
    assert stacks.update(stack, template(lambda_role, 2)) == status
    if reading == "no":
        reasons = json.dumps([reason for name, _, reason in stacks.events(stack) if name == "Alias"])
        assert "Unresolved resource dependencies" in reasons
