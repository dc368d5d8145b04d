"""Scheduled scaling of the environments that an alias keeps ready, on a clock that is stepped."""

import io
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serinus.offline.cloud.stepped import SteppedCloud, stepped
from serinus.offline.services.applicationautoscaling import ApplicationAutoScaling

CODE = "def handler(event, context):\n    return 1\n"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "lambda.amazonaws.com"}}]}'
)
FUNCTION, ALIAS = "scaled", "live"
WHERE = {
    "ServiceNamespace": "lambda",
    "ResourceId": f"function:{FUNCTION}:{ALIAS}",
    "ScalableDimension": "lambda:function:ProvisionedConcurrency",
}
DAY_S = 86_400


@pytest.fixture(scope="module")
def alias() -> Iterator[SteppedCloud]:
    """A cloud with an alias of a function."""
    with stepped() as cloud:
        create_alias(cloud)
        yield cloud


def create_alias(cloud: SteppedCloud) -> None:
    functions = cloud.client("lambda")
    role = cloud.client("iam").create_role(RoleName="scaled", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("index.py", CODE)
    functions.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": archive.getvalue()},
        Publish=True,
    )
    functions.create_alias(FunctionName=FUNCTION, Name=ALIAS, FunctionVersion="1")


@pytest.fixture
def scaling(alias: SteppedCloud) -> Any:
    """Application Auto Scaling, with the alias registered between 2 and 5 environments and 2 ready."""
    set_capacity(alias, 2)
    client = alias.client("application-autoscaling")
    client.register_scalable_target(**WHERE, MinCapacity=2, MaxCapacity=5)
    yield client
    client.deregister_scalable_target(**WHERE)


def set_capacity(cloud: SteppedCloud, count: int) -> None:
    cloud.client("lambda").put_provisioned_concurrency_config(
        FunctionName=FUNCTION, Qualifier=ALIAS, ProvisionedConcurrentExecutions=count
    )
    assert ready(cloud) == count


def ready(cloud: SteppedCloud) -> int:
    """Environments ready, once none is being prepared."""
    functions, deadline = cloud.client("lambda"), time.monotonic() + 60
    while True:
        shown = functions.get_provisioned_concurrency_config(FunctionName=FUNCTION, Qualifier=ALIAS)
        if shown["Status"] != "IN_PROGRESS" or time.monotonic() > deadline:
            count: int = shown["AllocatedProvisionedConcurrentExecutions"]
            return count
        time.sleep(0.05)


def step_to(cloud: SteppedCloud, hour: int, minute: int = 1) -> None:
    """Step to the next time of this hour and minute, UTC."""
    now = datetime.fromtimestamp(cloud.time(), UTC)
    target = now.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp()
    cloud.advance((target - cloud.time()) % DAY_S)


def put(scaling: Any, name: str, schedule: str, **action: int) -> None:
    scaling.put_scheduled_action(**WHERE, ScheduledActionName=name, Schedule=schedule, ScalableTargetAction=action)


def bounds(scaling: Any) -> tuple[int, int]:
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="lambda", ResourceIds=[WHERE["ResourceId"]])[
        "ScalableTargets"
    ]
    return target["MinCapacity"], target["MaxCapacity"]


def test_an_action_scales_out_to_its_minimum_and_in_to_its_maximum(alias: SteppedCloud, scaling: Any) -> None:
    """A scheduled action scales out to its minimum, and in to its maximum.

    Source: https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-policy-overview.html
    """
    put(scaling, "morning", "cron(0 7 * * ? *)", MinCapacity=5, MaxCapacity=5)
    put(scaling, "evening", "cron(0 19 * * ? *)", MinCapacity=2, MaxCapacity=2)
    step_to(alias, 6)
    counts = [ready(alias)]
    for hour in (8, 20, 8):
        step_to(alias, hour)
        counts.append(ready(alias))

    assert counts == [2, 5, 2, 5]
    assert bounds(scaling) == (5, 5)


def test_a_minimum_alone_never_scales_in(alias: SteppedCloud, scaling: Any) -> None:
    """A scheduled action with a minimum alone leaves a larger capacity as it is.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
    """
    put(scaling, "morning", "cron(0 7 * * ? *)", MinCapacity=5)
    put(scaling, "evening", "cron(0 19 * * ? *)", MinCapacity=2)
    step_to(alias, 6)
    step_to(alias, 8)
    step_to(alias, 20)

    assert (ready(alias), bounds(scaling)) == (5, (2, 5))


def test_a_time_zone_moves_the_hour(alias: SteppedCloud, scaling: Any) -> None:
    """A recurring action runs at the local time of its time zone.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
    """
    step_to(alias, 10)
    scaling.put_scheduled_action(
        **WHERE,
        ScheduledActionName="noon",
        Schedule="cron(0 12 * * ? *)",
        Timezone="Asia/Tokyo",
        ScalableTargetAction={"MinCapacity": 3},
    )
    step_to(alias, 2)
    before = ready(alias)
    step_to(alias, 3)

    assert (before, ready(alias)) == (2, 3)


def test_new_bounds_do_not_change_the_capacity(alias: SteppedCloud, scaling: Any) -> None:
    """Registering a target again changes its bounds only.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    """
    scaling.register_scalable_target(**WHERE, MinCapacity=4)
    alias.advance(minutes=5)

    assert (ready(alias), bounds(scaling)) == (2, (4, 5))


def test_an_action_while_traffic_is_split_changes_nothing(
    alias: SteppedCloud, scaling: Any, play: Callable[..., None]
) -> None:
    """Lambda rejects a change while the alias has weights; the action is not repeated.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
    """
    # Where an alias with ready environments gets no weights, traffic is never split.
    play(alias.cloud, alias_with_provisioned="accepted")
    functions = alias.client("lambda")
    functions.update_function_configuration(FunctionName=FUNCTION, Description=str(alias.time()))
    number = functions.publish_version(FunctionName=FUNCTION)["Version"]
    step_to(alias, 6)
    put(scaling, "morning", "cron(0 7 * * ? *)", MinCapacity=5, MaxCapacity=5)
    weights = {"AdditionalVersionWeights": {number: 0.1}}
    functions.update_alias(FunctionName=FUNCTION, Name=ALIAS, RoutingConfig=weights)
    step_to(alias, 8)
    functions.update_alias(FunctionName=FUNCTION, Name=ALIAS, RoutingConfig={"AdditionalVersionWeights": {}})

    assert ready(alias) == 2


def test_a_deleted_action_no_longer_runs(alias: SteppedCloud, scaling: Any) -> None:
    """DeleteScheduledAction ends an action.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeleteScheduledAction.html
    """
    step_to(alias, 6)
    put(scaling, "morning", "cron(0 7 * * ? *)", MinCapacity=5)
    (shown,) = scaling.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"]
    scaling.delete_scheduled_action(**WHERE, ScheduledActionName="morning")
    step_to(alias, 8)

    assert shown["ScalableTargetAction"] == {"MinCapacity": 5}
    assert (ready(alias), scaling.describe_scheduled_actions(ServiceNamespace="lambda")["ScheduledActions"]) == (
        2,
        [],
    )


def test_an_action_needs_a_registered_target(alias: SteppedCloud) -> None:
    """A scheduled action of an unknown target is refused.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
    """
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        put(alias.client("application-autoscaling"), "morning", "cron(0 7 * * ? *)", MinCapacity=5)


@pytest.mark.parametrize(
    ("schedule", "action", "error"),
    [
        ("cron(0 25 * * ? *)", {"MinCapacity": 1}, "ValidationException"),
        ("cron(0 7 * * ? *)", {"MinCapacity": 3, "MaxCapacity": 2}, "ValidationException"),
        ("at(2030-01-01T00:00:00)", {"MinCapacity": 1}, "does not model"),
    ],
)
def test_a_wrong_action_is_refused(scaling: Any, schedule: str, action: dict[str, int], error: str) -> None:
    """Invalid schedules and bounds are refused, and actions at one time by name.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
    """
    with pytest.raises(ClientError, match=error):
        put(scaling, "wrong", schedule, **action)


def test_target_tracking_is_refused_by_name(scaling: Any) -> None:
    """Scaling policies are refused by name.

    Source: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
    """
    with pytest.raises(ClientError, match="does not model application-autoscaling:PutScalingPolicy"):
        scaling.put_scaling_policy(**WHERE, PolicyName="use", PolicyType="TargetTrackingScaling")


def test_a_restored_action_keeps_its_next_run(alias: SteppedCloud, scaling: Any) -> None:
    """A state folder keeps targets and actions.

    Source: https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-policy-overview.html
    """
    put(scaling, "morning", "cron(0 7 * * ? *)", MinCapacity=5)
    service = alias.cloud.services.applicationautoscaling
    (target,) = service.snapshot()["us-east-1"].values()
    copy = ApplicationAutoScaling(alias.cloud)
    copy.restore({"us-east-1": {WHERE["ResourceId"]: target}})

    due = copy.targets["us-east-1"][WHERE["ResourceId"]].actions["morning"].due
    assert due is not None
    assert datetime.fromtimestamp(due, UTC).hour == 7
