"""What becomes of an alias when its stack rolls back after the shift, or changes more than its version."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from serinus.offline.cloud.stepped import SteppedCloud, stepped

Play = Callable[..., None]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
#: Approves every deployment but the one back to version 1, which it judges as its stack says.
HOOK = """
import os
import boto3

def handler(event, context):
    client = boto3.client("codedeploy")
    deployment = client.get_deployment(deploymentId=event["DeploymentId"])["deploymentInfo"]
    back = '"TargetVersion": "1"' in deployment["revision"]["appSpecContent"]["content"]
    client.put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status=os.environ["BACK"] if back else "Succeeded",
    )
"""
#: A resource that cannot be created.
BROKEN = {
    "Type": "AWS::SNS::Subscription",
    "DependsOn": "Alias",
    "Properties": {
        "Protocol": "lambda",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:missing",
        "Endpoint": "x",
    },
}


class Releases:
    """A stack with a function, its versions, and an alias that CodeDeploy shifts."""

    def __init__(self, cloud: SteppedCloud) -> None:
        self.cloud = cloud
        self.client = cloud.client("cloudformation")
        iam, name = cloud.client("iam"), f"releases-{uuid.uuid4().hex}"
        self.role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

    def function(self, code: str, **settings: Any) -> dict[str, Any]:
        properties = {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": self.role,
            "Code": {"ZipFile": code},
            "Timeout": 30,
            **settings,
        }
        return {"Type": "AWS::Lambda::Function", "Properties": properties}

    def template(
        self,
        number: int,
        *,
        back: str = "Succeeded",
        note: str = "",
        broken: bool = False,
        bake: str = "",
    ) -> str:
        alias = {
            "FunctionName": {"Ref": "Function"},
            "Name": "live",
            "FunctionVersion": {"Fn::GetAtt": [f"Version{number}", "Version"]},
            **({"Description": note} if note else {}),
        }
        group = {
            "ApplicationName": {"Ref": "Application"},
            "ServiceRoleArn": self.role,
            "DeploymentConfigName": bake or "CodeDeployDefault.LambdaAllAtOnce",
            "AutoRollbackConfiguration": {"Enabled": True, "Events": ["DEPLOYMENT_STOP_ON_REQUEST"]},
            "DeploymentStyle": {"DeploymentType": "BLUE_GREEN", "DeploymentOption": "WITH_TRAFFIC_CONTROL"},
        }
        policy = {
            "ApplicationName": {"Ref": "Application"},
            "DeploymentGroupName": {"Ref": "Group"},
            # While a test steps through days, an hour passes before a hook has answered.
            **({} if bake else {"BeforeAllowTrafficHook": {"Ref": "Hook"}}),
        }
        resources = {
            "Function": self.function(f"def handler(event, context):\n    return {number}\n"),
            f"Version{number}": {
                "Type": "AWS::Lambda::Version",
                "DeletionPolicy": "Retain",
                "Properties": {"FunctionName": {"Ref": "Function"}, "Description": f"release {number}"},
            },
            "Hook": self.function(HOOK, Environment={"Variables": {"BACK": back}}),
            "Application": {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "Lambda"}},
            "Group": {"Type": "AWS::CodeDeploy::DeploymentGroup", "Properties": group},
            "Alias": {
                "Type": "AWS::Lambda::Alias",
                "Properties": alias,
                "DependsOn": ["Group", "Hook"],
                "UpdatePolicy": {"CodeDeployLambdaAliasUpdate": policy},
            },
            **({"Broken": BROKEN} if broken else {}),
        }
        return json.dumps({"Resources": resources})

    def create(self, template: str) -> str:
        name = f"stack-{uuid.uuid4().hex[:8]}"
        stack: str = self.client.create_stack(StackName=name, TemplateBody=template)["StackId"]
        assert self.settled(stack) == "CREATE_COMPLETE"
        return stack

    def update(self, stack: str, template: str, **settings: Any) -> str:
        self.client.update_stack(StackName=stack, TemplateBody=template)
        return self.settled(stack, **settings)

    def settled(self, stack: str, step_s: float = 0.0) -> str:
        """The stack's final status; cloud time is stepped while it is waited for."""
        deadline = time.monotonic() + 60
        while (status := self.client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]).endswith(
            "_IN_PROGRESS"
        ):
            assert time.monotonic() < deadline, status
            self.cloud.advance(step_s)
            time.sleep(0.02)
        return str(status)

    def alias(self, stack: str) -> dict[str, Any]:
        described = self.client.describe_stack_resource(StackName=stack, LogicalResourceId="Function")
        name = described["StackResourceDetail"]["PhysicalResourceId"]
        alias: dict[str, Any] = self.cloud.client("lambda").get_alias(FunctionName=name, Name="live")
        return alias

    def deployments(self, stack: str) -> list[str]:
        """The versions to which the stack's group has deployed, in order."""
        codedeploy = self.cloud.client("codedeploy")
        application, group = (
            self.client.describe_stack_resource(StackName=stack, LogicalResourceId=name)["StackResourceDetail"][
                "PhysicalResourceId"
            ]
            for name in ("Application", "Group")
        )
        ids = codedeploy.list_deployments(applicationName=application, deploymentGroupName=group)["deployments"]
        contents = [
            codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]["revision"]["appSpecContent"]
            for deployment in reversed(ids)
        ]
        documents = [json.loads(content["content"])["Resources"][0] for content in contents]
        return [resource["TargetFunction"]["Properties"]["TargetVersion"] for resource in documents]


@pytest.fixture(scope="module")
def releases() -> Iterator[Releases]:
    with stepped() as cloud:
        yield Releases(cloud)


def broken_release(releases: Releases, *, back: str = "Succeeded", **settings: Any) -> tuple[str, str]:
    """A stack whose second release fails after the shift, and its status then."""
    stack = releases.create(releases.template(1, back=back))
    return stack, releases.update(stack, releases.template(2, back=back, broken=True), **settings)


def test_directly(releases: Releases, play: Play) -> None:
    play(releases.cloud.cloud, stack_alias_rollback="direct")
    stack, status = broken_release(releases, back="Failed")
    assert (status, releases.alias(stack)["FunctionVersion"]) == ("UPDATE_ROLLBACK_COMPLETE", "1")
    assert releases.deployments(stack) == ["2"]


@pytest.mark.parametrize(
    ("back", "status", "live"),
    [("Succeeded", "UPDATE_ROLLBACK_COMPLETE", "1"), ("Failed", "UPDATE_ROLLBACK_FAILED", "2")],
)
def test_by_a_deployment_whose_hook_may_refuse(
    releases: Releases, play: Play, back: str, status: str, live: str
) -> None:
    play(releases.cloud.cloud, stack_alias_rollback="codedeploy")
    stack, ended = broken_release(releases, back=back)
    assert (ended, releases.alias(stack)["FunctionVersion"]) == (status, live)
    assert releases.deployments(stack) == ["2", "1"]


def test_slowly(releases: Releases, play: Play) -> None:
    play(releases.cloud.cloud, stack_alias_rollback="slow")
    began_at = releases.cloud.time()
    stack, status = broken_release(releases, step_s=60)
    assert (status, releases.alias(stack)["FunctionVersion"]) == ("UPDATE_ROLLBACK_COMPLETE", "1")
    assert releases.cloud.time() - began_at >= 1800


@pytest.fixture
def queue(releases: Releases) -> str:
    """A queue that receives an event for each stack that is stuck."""
    name = f"stuck-{uuid.uuid4().hex[:8]}"
    url: str = releases.cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    events = releases.cloud.client("events")
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/event-detail-stack-status-change.html
    pattern = {
        "source": ["aws.cloudformation"],
        "detail-type": ["CloudFormation Stack Status Change"],
        "detail": {
            "stack-id": [{"prefix": "arn:aws:cloudformation:us-east-1:123456789012:stack/stack-"}],
            "status-details": {"status": ["UPDATE_ROLLBACK_FAILED"]},
        },
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:us-east-1:123456789012:{name}"}])
    return url


def stuck_stacks(releases: Releases, queue: str) -> list[str]:
    """The ids of the stacks of which the events in ``queue`` are, which are removed."""
    sqs, deadline = releases.cloud.client("sqs"), time.monotonic() + 30
    while not (messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])):
        assert time.monotonic() < deadline
    for message in messages:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"])["detail"]["stack-id"] for message in messages]


def test_not_at_all_until_the_alias_is_skipped_or_moved_by_hand(
    releases: Releases, play: Play, queue: str
) -> None:
    play(releases.cloud.cloud, stack_alias_rollback="stuck")
    stack, status = broken_release(releases)
    assert stuck_stacks(releases, queue) == [stack]
    assert (status, releases.alias(stack)["FunctionVersion"]) == ("UPDATE_ROLLBACK_FAILED", "2")
    releases.client.continue_update_rollback(StackName=stack)
    assert releases.settled(stack) == "UPDATE_ROLLBACK_FAILED"
    assert stuck_stacks(releases, queue) == [stack]
    releases.client.continue_update_rollback(StackName=stack, ResourcesToSkip=["Alias"])
    assert releases.settled(stack) == "UPDATE_ROLLBACK_COMPLETE"
    assert releases.alias(stack)["FunctionVersion"] == "2"

    stack, _ = broken_release(releases)
    assert stuck_stacks(releases, queue) == [stack]
    function = releases.alias(stack)["AliasArn"].rpartition(":")[0]
    releases.cloud.client("lambda").update_alias(FunctionName=function, Name="live", FunctionVersion="1")
    releases.client.continue_update_rollback(StackName=stack)
    assert releases.settled(stack) == "UPDATE_ROLLBACK_COMPLETE"


@pytest.mark.parametrize(
    ("reading", "status", "live", "note"),
    [
        ("applied", "UPDATE_COMPLETE", "2", "new"),
        ("ignored", "UPDATE_COMPLETE", "2", "old"),
        ("refused", "UPDATE_ROLLBACK_COMPLETE", "1", "old"),
    ],
)
def test_a_description_that_changes_with_the_version(
    releases: Releases, play: Play, reading: str, status: str, live: str, note: str
) -> None:
    play(releases.cloud.cloud, alias_several_properties=reading)
    stack = releases.create(releases.template(1, note="old"))
    assert releases.update(stack, releases.template(2, note="new")) == status
    alias = releases.alias(stack)
    assert (alias["FunctionVersion"], alias["Description"]) == (live, note)


@pytest.mark.parametrize(
    ("reading", "status", "live"),
    [("36-hours", "UPDATE_ROLLBACK_COMPLETE", "1"), ("none", "UPDATE_COMPLETE", "2")],
)
def test_a_bake_of_48_hours(releases: Releases, play: Play, reading: str, status: str, live: str) -> None:
    play(releases.cloud.cloud, stack_operation_limit=reading)
    bake = f"two-days-{uuid.uuid4().hex}"
    routing = {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 2880}}
    releases.cloud.client("codedeploy").create_deployment_config(
        deploymentConfigName=bake, computePlatform="Lambda", trafficRoutingConfig=routing
    )
    stack = releases.create(releases.template(1, bake=bake))
    began_at = releases.cloud.time()
    assert releases.update(stack, releases.template(2, bake=bake), step_s=900) == status
    alias = releases.alias(stack)
    assert (alias["FunctionVersion"], alias.get("RoutingConfig")) == (live, None)
    hours = (releases.cloud.time() - began_at) / 3600
    assert 35 < hours < 38 if reading == "36-hours" else hours > 47
