"""A stack whose other change fails does not begin to shift traffic: seen in the offline cloud's CloudFormation."""

import json
from collections.abc import Iterator
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from aws_cdk.assertions import Template

from serinus.infra.constructs.shift_order import shift_last
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

pytestmark = [pytest.mark.cloud, pytest.mark.slow]

NAME, TAKEN = "shop", "/taken"
BUSY = "_IN_PROGRESS"


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running(CloudConfig(port=0, max_workers=1)) as started:
        yield started


def template(release: int, *, taken: bool) -> str:
    """A function whose alias CodeDeploy moves, in its ``release``; ``taken``: beside a parameter that is there."""
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Test")
    function = lambda_.Function(
        stack,
        "Function",
        function_name=NAME,
        code=lambda_.Code.from_inline("def handler(event, context):\n    return event\n"),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
        environment={"RELEASE": str(release)},
    )
    version = lambda_.Version(
        stack,
        f"Version{release}",
        lambda_=function,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )
    alias = lambda_.Alias(stack, "Alias", alias_name="live", version=version)
    group = codedeploy.CfnDeploymentGroup(
        stack,
        "Group",
        application_name=codedeploy.CfnApplication(
            stack, "Application", application_name=NAME, compute_platform="Lambda"
        ).ref,
        deployment_group_name="live",
        service_role_arn=iam.Role(
            stack,
            "Role",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("AdministratorAccess")],
        ).role_arn,
        deployment_config_name="CodeDeployDefault.LambdaAllAtOnce",
        deployment_style=codedeploy.CfnDeploymentGroup.DeploymentStyleProperty(
            deployment_type="BLUE_GREEN", deployment_option="WITH_TRAFFIC_CONTROL"
        ),
    )
    cast(cdk.CfnResource, alias.node.default_child).cfn_options.update_policy = cdk.CfnUpdatePolicy(
        code_deploy_lambda_alias_update=cdk.CfnCodeDeployLambdaAliasUpdate(
            application_name=NAME, deployment_group_name=group.ref
        )
    )
    if taken:
        ssm.CfnParameter(stack, "Taken", name=TAKEN, type="String", value="x")
    shift_last(stack, alias, after=[])
    return json.dumps({"Resources": Template.from_stack(stack).to_json()["Resources"]})


def settled(stacks: Any) -> str:
    """The stack's status once nothing is in progress."""
    waiter = {"CREATE": "stack_create_complete", "UPDATE": "stack_update_complete"}
    status = str(stacks.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"])
    if status.endswith(BUSY):
        try:
            stacks.get_waiter(waiter[status[:6]]).wait(StackName=NAME, WaiterConfig={"Delay": 1})
        except Exception:  # noqa: BLE001 - the status tells how it ended
            return settled(stacks)
    return str(stacks.describe_stacks(StackName=NAME)["Stacks"][0]["StackStatus"])


def test_another_change_that_fails_comes_before_any_traffic_moves(cloud: Cloud) -> None:
    stacks, functions, deployments = (cloud.client(name) for name in ("cloudformation", "lambda", "codedeploy"))

    def live() -> tuple[str, int]:
        """The alias' version, and how many deployments there were."""
        alias = functions.get_alias(FunctionName=NAME, Name="live")
        made = deployments.list_deployments(applicationName=NAME, deploymentGroupName="live")["deployments"]
        return alias["FunctionVersion"], len(made)

    cloud.client("ssm").put_parameter(Name=TAKEN, Value="theirs", Type="String")
    stacks.create_stack(StackName=NAME, TemplateBody=template(1, taken=False), Capabilities=["CAPABILITY_IAM"])
    assert settled(stacks) == "CREATE_COMPLETE"
    assert live() == ("1", 0)

    stacks.update_stack(StackName=NAME, TemplateBody=template(2, taken=True), Capabilities=["CAPABILITY_IAM"])
    assert settled(stacks).startswith("UPDATE_ROLLBACK_COMPLETE")
    assert live() == ("1", 0)

    stacks.update_stack(StackName=NAME, TemplateBody=template(3, taken=False), Capabilities=["CAPABILITY_IAM"])
    assert settled(stacks).startswith("UPDATE_COMPLETE")
    version, made = live()
    assert (int(version) > 1, made) == (True, 1)
