"""Functions, versions and aliases in stacks: what a release does, with and without CodeDeploy."""

import json

import pytest

#: Answers its lifecycle hook with the status that its environment says.
HOOK = """
import os
import boto3

def handler(event, context):
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=os.environ["VERDICT"],
    )
"""


@pytest.fixture
def release(lambda_role):
    """A template of release ``number``: function, version, alias; ``verdict`` puts CodeDeploy in between."""

    def template(number, verdict=None):
        function = {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": lambda_role,
            "Code": {"ZipFile": f"def handler(event, context):\n    return {number}\n"},
        }
        version = {
            "Type": "AWS::Lambda::Version",
            "DeletionPolicy": "RetainExceptOnCreate",
            "Properties": {"FunctionName": {"Ref": "Function"}, "Description": f"release {number}"},
        }
        alias = {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Name": "live",
                "FunctionVersion": {"Fn::GetAtt": [f"Version{number}", "Version"]},
            },
        }
        resources = {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            f"Version{number}": version,
            "Alias": alias,
        }
        if verdict is not None:
            resources |= codedeploy(lambda_role, verdict)
            alias["UpdatePolicy"] = {
                "CodeDeployLambdaAliasUpdate": {
                    "ApplicationName": {"Ref": "Application"},
                    "DeploymentGroupName": {"Ref": "Group"},
                    "BeforeAllowTrafficHook": {"Ref": "Hook"},
                }
            }
        return {"Resources": resources}

    return template


def codedeploy(role, verdict):
    hook = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": role,
        "Timeout": 30,
        "Code": {"ZipFile": HOOK},
        "Environment": {"Variables": {"VERDICT": verdict}},
    }
    group = {
        "ApplicationName": {"Ref": "Application"},
        "ServiceRoleArn": role,
        "DeploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
        "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
        "AutoRollbackConfiguration": {"Enabled": True, "Events": ["DEPLOYMENT_FAILURE"]},
    }
    application = {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "Lambda"}}
    return {
        "Hook": {"Type": "AWS::Lambda::Function", "Properties": hook},
        "Application": application,
        "Group": {"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": group},
    }


@pytest.fixture
def answer(aws, stacks):
    """What the alias of a stack answers."""

    def answer(stack):
        alias = stacks.physical_id(stack, "Alias")
        return json.load(aws("lambda").invoke(FunctionName=alias)["Payload"])

    return answer


def test_a_release_moves_the_alias_to_a_new_version(stacks, release, answer):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-alias.html"""
    stack = stacks.create(release(1))
    assert answer(stack) == 1
    assert stacks.update(stack, release(2)) == "UPDATE_COMPLETE"
    assert answer(stack) == 2


def test_a_retained_version_outlives_the_release_that_made_it(stacks, release, aws):
    """A retained version outlives the release that created it.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    stack = stacks.create(release(1))
    stacks.update(stack, release(2))
    name = stacks.physical_id(stack, "Function")
    listed = aws("lambda").list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "1", "2"]


def test_a_version_of_an_unchanged_function_fails(stacks, release):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-version.html"""
    first = release(1)
    stack = stacks.create(first)
    second = json.loads(json.dumps(first))
    second["Resources"]["Again"] = {**first["Resources"]["Version1"], "DependsOn": "Version1"}
    assert stacks.update(stack, second) == "UPDATE_ROLLBACK_COMPLETE"
    reasons = " ".join(reason for name, _, reason in stacks.events(stack) if name == "Again")
    assert "A version for this Lambda function exists ( 1 )" in reasons


def test_the_first_deploy_does_without_codedeploy(stacks, release, aws):
    """The first deploy does not use CodeDeploy.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html
    """
    stack = stacks.create(release(1, "Failed"))
    assert stacks.status(stack) == "CREATE_COMPLETE"
    application = stacks.physical_id(stack, "Application")
    group = stacks.physical_id(stack, "Group")
    listed = aws("codedeploy").list_deployments(applicationName=application, deploymentGroupName=group)
    assert listed["deployments"] == []


def test_an_update_of_the_alias_waits_for_codedeploy(stacks, release, answer, aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html"""
    stack = stacks.create(release(1, "Succeeded"))
    assert stacks.update(stack, release(2, "Succeeded")) == "UPDATE_COMPLETE"
    assert answer(stack) == 2
    reasons = " ".join(reason for name, _, reason in stacks.events(stack) if name == "Alias")
    assert "CodeDeploy deployment started: d-" in reasons


def test_a_deployment_that_fails_fails_the_update_and_rolls_it_back(stacks, release, answer, aws):
    """Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatepolicy.html"""
    stack = stacks.create(release(1, "Failed"))
    assert stacks.update(stack, release(2, "Failed")) == "UPDATE_ROLLBACK_COMPLETE"
    assert answer(stack) == 1
    assert "UPDATE_FAILED" in stacks.statuses(stack, "Alias")


def test_the_version_of_a_rolled_back_release_is_gone(stacks, release, aws):
    """The version of a rolled back release is deleted.

    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    stack = stacks.create(release(1, "Failed"))
    stacks.update(stack, release(2, "Failed"))
    name = stacks.physical_id(stack, "Function")
    listed = aws("lambda").list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "1"]
