"""The schedule of environments kept ready, as CloudFormation deploys it, through a day of a stepped cloud."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from serinus.infra.constructs.provisioned_scaling import ProvisionedScaling
from serinus.offline.cloud.stepped import SteppedCloud, stepped

pytestmark = [pytest.mark.cloud, pytest.mark.slow]

FUNCTION, ALIAS = "shop-dev-churn", "live"
DAY = {"cron(0 7 * * ? *)": 5, "cron(0 19 * * ? *)": 2}
WHERE = {"FunctionName": FUNCTION, "Qualifier": ALIAS}


def template(schedule: dict[str, int], timezone: str = "UTC") -> str:
    """An alias with two environments and its schedule."""
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Test")
    function = lambda_.Function(
        stack,
        "Function",
        function_name=FUNCTION,
        code=lambda_.Code.from_inline("def handler(event, context):\n    return 1\n"),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    cast(cdk.CfnResource, function.node.default_child).add_deletion_override("DependsOn")
    alias = lambda_.Alias(
        stack, "Alias", alias_name=ALIAS, version=function.current_version, provisioned_concurrent_executions=2
    )
    scaling = ProvisionedScaling(
        stack,
        "Scaling",
        function=FUNCTION,
        alias=ALIAS,
        least=2,
        most=max(2, *schedule.values()),
        target_percent=None,
        schedule=schedule,
        timezone=timezone,
    )
    scaling.node.add_dependency(alias)
    return json.dumps({"Resources": Template.from_stack(stack).to_json()["Resources"]})


@pytest.fixture(scope="module")
def cloud() -> Iterator[SteppedCloud]:
    with stepped() as started:
        yield started


def deploy(cloud: SteppedCloud, body: str, *, update: bool = False) -> None:
    stacks = cloud.client("cloudformation")
    verb, done = ("update_stack", "stack_update_complete") if update else ("create_stack", "stack_create_complete")
    getattr(stacks, verb)(StackName="scaled", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    stacks.get_waiter(done).wait(StackName="scaled", WaiterConfig={"Delay": 1})


def ready(cloud: SteppedCloud, hour: int) -> int:
    """Environments ready a minute after the next ``hour``, UTC."""
    now = datetime.fromtimestamp(cloud.time(), UTC)
    cloud.advance((now.replace(hour=hour, minute=1, second=0, microsecond=0).timestamp() - cloud.time()) % 86_400)
    functions, deadline = cloud.client("lambda"), time.monotonic() + 60
    shown: dict[str, Any] = functions.get_provisioned_concurrency_config(**WHERE)
    while shown["Status"] == "IN_PROGRESS" and time.monotonic() < deadline:
        time.sleep(0.05)
        shown = functions.get_provisioned_concurrency_config(**WHERE)
    count: int = shown["AllocatedProvisionedConcurrentExecutions"]
    return count


def test_environments_follow_the_schedule_up_and_down_and_end_with_the_stack(cloud: SteppedCloud) -> None:
    deploy(cloud, template(DAY))
    assert [ready(cloud, hour) for hour in (6, 8, 18, 20, 6, 8)] == [2, 5, 5, 2, 2, 5]

    deploy(cloud, template({"cron(0 7 * * ? *)": 3}, "Asia/Tokyo"), update=True)
    # New bounds alone change nothing; 7:00 in Tokyo is 22:00 UTC, and the evening's action is gone.
    assert [ready(cloud, hour) for hour in (20, 23)] == [5, 3]

    stacks = cloud.client("cloudformation")
    stacks.delete_stack(StackName="scaled")
    stacks.get_waiter("stack_delete_complete").wait(StackName="scaled", WaiterConfig={"Delay": 1})
    found = cloud.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="lambda")
    assert found["ScalableTargets"] == []
