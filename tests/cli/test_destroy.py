"""Deleting the stacks of a named environment, which CloudFormation protects."""

import json
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import pytest
from typer.testing import CliRunner

from serinus.cli import cdk, offline_process
from serinus.cli.commands.deploy import unprotect_failed_create
from serinus.cli.commands.destroy import lift_protection
from serinus.cli.main import app
from serinus.cli.target import CloudTarget
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

pytestmark = pytest.mark.cloud

STACK = "shop-prod-churn"
TEMPLATE = {"Resources": {"Kept": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}}}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with running(CloudConfig(port=0)) as started:
        yield started


@pytest.fixture
def stacks(cloud: Cloud) -> Iterator[Any]:
    """CloudFormation, with a protected stack."""
    client = cloud.client("cloudformation")
    client.create_stack(StackName=STACK, TemplateBody=json.dumps(TEMPLATE), EnableTerminationProtection=True)
    client.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    yield client
    client.update_termination_protection(StackName=STACK, EnableTerminationProtection=False)
    client.delete_stack(StackName=STACK)
    client.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def is_protected(stacks: Any) -> bool:
    protected: bool = stacks.describe_stacks(StackName=STACK)["Stacks"][0]["EnableTerminationProtection"]
    return protected


def test_destroy_on_aws_deletes_nothing_and_prints_the_command_that_lifts_the_protection(
    cloud: Cloud, stacks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offline cloud stands in for AWS, at the address that AWS's own variable names."""
    (tmp_path / "serinus.toml").write_text(
        '[project]\nname = "shop"\n[endpoint.churn]\n[env.prod]\naccount = "123456789012"\nregion = "us-east-1"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(offline_process.VARIABLE_LOCAL_URL, raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials of its first use
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.config.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", cloud.config.root_key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", cloud.config.root_key.secret_access_key)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(cdk, "run", lambda *_, **__: pytest.fail("the CDK CLI was run"))

    done = CliRunner().invoke(app, ["destroy", "churn", "--env", "prod", "--yes"])

    assert done.exit_code == 1, done.output
    assert f"{STACK} is protected from deletion" in str(done.exception or done.output)
    command = shlex.split(str(done.exception or done.output).splitlines()[-1])
    assert command[:3] == ["aws", "cloudformation", "update-termination-protection"]
    assert {"--no-enable-termination-protection", STACK, "us-east-1"} <= set(command)
    assert is_protected(stacks)


def local_target(cloud: Cloud) -> CloudTarget:
    config = cloud.config
    where = (config.region, config.account_id)
    return CloudTarget(offline_process.RunningCloud(0, config.port, *where, 1.0, config.root_key))


def test_destroy_in_an_offline_cloud_lifts_the_protection_itself(cloud: Cloud, stacks: Any) -> None:
    lift_protection(local_target(cloud), [STACK, "shop-prod-absent"], "prod")

    assert not is_protected(stacks)


def test_a_stack_whose_first_create_failed_can_be_created_again(cloud: Cloud) -> None:
    """The CDK CLI protects a stack before it creates it, and deletes one in ROLLBACK_COMPLETE by DeleteStack."""
    client, name = cloud.client("cloudformation"), "shop-prod-failed"
    broken = {
        "Resources": {"Broken": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": ""}}}
    }
    client.create_stack(StackName=name, TemplateBody=json.dumps(broken), EnableTerminationProtection=True)
    with pytest.raises(botocore.exceptions.WaiterError):
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    while client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] != "ROLLBACK_COMPLETE":
        time.sleep(0.1)
    with pytest.raises(botocore.exceptions.ClientError, match="TerminationProtection is enabled"):
        client.delete_stack(StackName=name)

    unprotect_failed_create(local_target(cloud), name)

    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def test_a_stack_that_was_created_stays_protected_in_a_deploy(cloud: Cloud, stacks: Any) -> None:
    unprotect_failed_create(local_target(cloud), STACK)

    assert is_protected(stacks)
