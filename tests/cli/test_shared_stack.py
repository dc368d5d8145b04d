"""A shared stack is shown with those whom it notifies, and deleted once no endpoint may name its topic."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from serinus.cli.commands.status import shared_lines
from serinus.cli.errors import CliError
from serinus.cli.offline_process import RunningCloud
from serinus.cli.shared_stack import SharedOverview, Subscriber, delete_unused, observe_shared
from serinus.cli.target import CloudTarget
from serinus.infra.settings import OperationsSettings, Settings
from serinus.offline.cloud.cloud import Cloud

SHARED = "shop-prod-shared"
TOPIC = {
    "Topic": {
        "Type": "AWS::SNS::Topic",
        "Properties": {
            "TopicName": SHARED,
            "Subscription": [{"Protocol": "email", "Endpoint": "oncall@example.com"}],
        },
    },
    "Dashboard": {
        "Type": "AWS::CloudWatch::Dashboard",
        "Properties": {"DashboardName": SHARED, "DashboardBody": '{"widgets": []}'},
    },
}
SETTINGS = Settings("shop", "prod", None, None, OperationsSettings(), ())
Create = Callable[..., None]


@pytest.fixture
def create(target: CloudTarget) -> Iterator[Create]:
    """Creates stacks, which are deleted afterwards."""
    stacks = target.client("cloudformation")
    created: list[str] = []

    def make(
        name: str, resources: Mapping[str, Any], outputs: Mapping[str, Any] | None = None, **tags: str
    ) -> None:
        stacks.create_stack(
            StackName=name,
            TemplateBody=json.dumps({"Resources": resources, **({"Outputs": outputs} if outputs else {})}),
            Tags=[{"Key": f"serinus:{key}", "Value": value} for key, value in tags.items()],
        )
        stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.2})
        created.append(name)

    yield make
    for name in created:
        stacks.delete_stack(StackName=name)
        stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 0.2})


def endpoint(create: Create, name: str, *, project: str = "shop", environment: str = "prod") -> None:
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": name}}
    tags = {"project": project, "environment": environment, "endpoint": name}
    create(f"{project}-{environment}-{name}", {"Parameter": parameter}, **tags)


pytestmark = pytest.mark.cloud


def test_it_stays_while_another_endpoint_of_the_environment_is_deployed(
    target: CloudTarget, create: Create, capsys: pytest.CaptureFixture[str]
) -> None:
    create(SHARED, TOPIC, project="shop", environment="prod")
    endpoint(create, "churn")

    assert delete_unused(target, SETTINGS, ()) is False
    assert f"kept {SHARED}, which shop-prod-churn may use" in capsys.readouterr().err
    assert observe_shared(target, SETTINGS) is not None


def test_it_goes_once_no_endpoint_of_the_environment_may_use_it(target: CloudTarget, create: Create) -> None:
    create(SHARED, TOPIC, project="shop", environment="prod")
    endpoint(create, "churn")
    endpoint(create, "churn", environment="stage")
    endpoint(create, "churn", project="shopping")

    assert delete_unused(target, SETTINGS, ["shop-prod-churn"]) is True
    assert observe_shared(target, SETTINGS) is None
    assert delete_unused(target, SETTINGS, ["shop-prod-churn"]) is False


def test_the_monitors_bucket_is_kept_and_the_command_that_removes_it_is_said(
    target: CloudTarget, create: Create, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}
    outputs = {"MonitorBucket": {"Value": {"Ref": "Bucket"}}}
    create(SHARED, {"Bucket": bucket}, outputs, project="shop", environment="prod")
    described = target.client("cloudformation").describe_stacks(StackName=SHARED)["Stacks"][0]
    name = described["Outputs"][0]["OutputValue"]

    assert delete_unused(target, SETTINGS, ()) is True
    assert f"`aws s3 rb s3://{name} --force` removes it" in capsys.readouterr().err
    assert target.client("s3").list_objects_v2(Bucket=name)["KeyCount"] == 0


def test_an_endpoint_that_the_settings_no_longer_have_keeps_it(target: CloudTarget, create: Create) -> None:
    create(SHARED, TOPIC, project="shop", environment="prod")
    endpoint(create, "forgotten")

    assert delete_unused(target, SETTINGS, ["shop-prod-churn"]) is False


def test_it_is_shown_with_those_whom_it_notifies(target: CloudTarget, create: Create) -> None:
    create(SHARED, TOPIC, project="shop", environment="prod")
    shown = observe_shared(target, SETTINGS)

    assert shown is not None
    assert shown.subscribers == (Subscriber("email", "oncall@example.com", False),)
    assert shared_lines(shown) == [
        "all endpoints",
        "  notifies oncall@example.com (has not confirmed)",
        f"  shows    dashboard {SHARED}",
        f"  stack    {SHARED} CREATE_COMPLETE",
    ]


def test_a_monitors_bucket_is_shown() -> None:
    shown = SharedOverview(SHARED, "CREATE_COMPLETE", None, None, (), "the-bucket")
    assert shared_lines(shown)[1:] == [
        "  monitor  keeps counts and reports in the-bucket",
        f"  stack    {SHARED} CREATE_COMPLETE",
    ]


def test_a_topic_without_a_subscriber_notifies_nobody() -> None:
    assert shared_lines(SharedOverview(SHARED, "CREATE_COMPLETE", None, "arn", ()))[1] == "  notifies nobody"


def test_without_an_answer_the_command_that_deletes_it_is_said(cloud: Cloud) -> None:
    config = cloud.config
    nowhere = CloudTarget(RunningCloud(0, 1, config.region, config.account_id, 1.0, config.root_key))
    with pytest.raises(CliError, match=f"{SHARED}, .* may still exist: .*delete-stack --stack-name {SHARED}"):
        delete_unused(nowhere, SETTINGS, ())
