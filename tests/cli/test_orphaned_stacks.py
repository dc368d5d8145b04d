"""Stacks of endpoints that serinus.toml no longer has: status and deploy name them, destroy deletes them."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from serinus.cli import cdk, offline_process
from serinus.cli.destroyed_stacks import choose_stacks
from serinus.cli.errors import CliError
from serinus.cli.main import app
from serinus.cli.orphaned_stacks import find_orphans
from serinus.cli.target import CloudTarget
from serinus.infra.settings import load_settings
from serinus.lambda_handlers.contract.lock import LOCK, Pin, render_lock
from serinus.offline.cloud.cloud import Cloud

pytestmark = pytest.mark.cloud

SETTINGS = '[project]\nname = "shop"\n[endpoint.churn]\n[endpoint.fraud]\n'
PROD = '[env.prod]\naccount = "123456789012"\nregion = "us-east-1"\n'


@pytest.fixture
def deploy(target: CloudTarget) -> Iterator[Callable[..., str]]:
    """Creates a stack with an endpoint's tags; returns its name. What remains is deleted afterwards."""
    stacks = target.client("cloudformation")
    created: list[str] = []

    def create(
        endpoint: str | None, *, project: str = "shop", environment: str = "local", protected: bool = False
    ) -> str:
        name = f"{project}-{environment}-{endpoint or 'shared'}"
        tags = {"project": project, "environment": environment, **({"endpoint": endpoint} if endpoint else {})}
        resource = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}
        stacks.create_stack(
            StackName=name,
            TemplateBody=json.dumps({"Resources": {"Kept": resource}}),
            Tags=[{"Key": f"serinus:{key}", "Value": value} for key, value in tags.items()],
            EnableTerminationProtection=protected,
        )
        stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.2})
        created.append(name)
        return name

    yield create
    for name in created:
        if name in existing(target):
            stacks.update_termination_protection(StackName=name, EnableTerminationProtection=False)
            stacks.delete_stack(StackName=name)
            stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 0.2})


def existing(target: CloudTarget) -> set[str]:
    return {stack["StackName"] for stack in target.client("cloudformation").describe_stacks()["Stacks"]}


@pytest.fixture
def shop(tmp_path: Path, target: CloudTarget, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, in the working folder, whose offline cloud is the one of this process."""
    (tmp_path / "serinus.toml").write_text(SETTINGS)
    assert target.cloud is not None
    offline_process.record(tmp_path, replace(target.cloud, pid=os.getpid()))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(offline_process.VARIABLE_LOCAL_URL, raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def said(done: Result) -> str:
    return " ".join(f"{done.output} {done.exception or ''}".split())


def test_stacks_of_other_endpoints_projects_and_environments_are_not_orphaned(
    shop: Path, target: CloudTarget, deploy: Callable[..., str]
) -> None:
    for endpoint in ("churn", "old", None):
        deploy(endpoint)
    deploy("old", project="shopping")
    deploy("old", environment="prod")

    orphans = find_orphans(target, load_settings(shop / "serinus.toml", "local"))

    assert [(orphan.endpoint, orphan.stack) for orphan in orphans] == [("old", "shop-local-old")]


def test_an_endpoint_that_no_longer_exists_in_the_environment_is_orphaned_there(
    shop: Path, target: CloudTarget, deploy: Callable[..., str]
) -> None:
    stack = deploy("fraud", environment="prod")
    listed = SETTINGS.replace("[endpoint.fraud]\n", '[endpoint.fraud]\nenvironments = ["dev"]\n')
    (shop / "serinus.toml").write_text(listed + PROD)

    orphans = find_orphans(target, load_settings(shop / "serinus.toml", "prod"))

    assert [orphan.stack for orphan in orphans] == [stack]


def test_status_shows_them_unless_endpoints_are_named(shop: Path, deploy: Callable[..., str]) -> None:
    deploy("old")
    line = (
        "old is no longer an endpoint of local in serinus.toml, but its stack shop-local-old is deployed "
        "(CREATE_COMPLETE). `serinus destroy old --local` deletes it"
    )

    everything, named = run("status", "--local"), run("status", "churn", "--local")
    data = json.loads(run("status", "--local", "--json").stdout)

    assert (everything.exit_code, named.exit_code) == (0, 0)
    assert line in everything.stdout.splitlines()
    assert "no longer" not in named.output
    assert data["orphaned"] == [{"endpoint": "old", "stack": "shop-local-old", "status": "CREATE_COMPLETE"}]


def test_status_shows_them_also_once_the_settings_have_no_endpoint(shop: Path, deploy: Callable[..., str]) -> None:
    (shop / "serinus.toml").write_text('[project]\nname = "shop"\n')
    assert "serinus.toml has no [endpoint.NAME] table yet" in said(run("status", "--local"))
    deploy("old")

    done = run("status", "--local")

    assert done.exit_code == 0
    assert "`serinus destroy old --local` deletes it" in done.stdout


def test_destroy_takes_an_orphan_by_its_name_and_leaves_the_others(
    shop: Path, target: CloudTarget, deploy: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {deploy("churn"), deploy("older"), deploy(None)}
    old = deploy("old", protected=True)
    monkeypatch.setattr(cdk, "run", lambda *_, **__: pytest.fail("the CDK CLI was run"))

    done = run("destroy", "old", "--local")

    assert done.exit_code == 0, said(done)
    assert done.stdout == "destroyed old\n"
    assert kept <= existing(target)
    assert old not in existing(target)


def test_the_shared_stack_goes_with_the_last_orphan(
    shop: Path, target: CloudTarget, deploy: Callable[..., str]
) -> None:
    stacks = {deploy("old"), deploy(None)}

    assert run("destroy", "old", "--local").exit_code == 0
    assert not stacks & existing(target)


def test_destroy_of_all_is_that_of_the_settings(
    shop: Path, target: CloudTarget, deploy: Callable[..., str]
) -> None:
    """churn is in the app; fraud has no pin, so the app lacks it."""
    (shop / LOCK).write_text(render_lock({"dev": {"churn": Pin("a" * 64, "bundles/churn/a")}}))
    settings = load_settings(shop / "serinus.toml", "local")
    deploy("old")
    assert choose_stacks(shop, settings, target, []).by_endpoint == {"churn": "shop-local-churn"}
    deploy("fraud")

    chosen, mixed = (
        choose_stacks(shop, settings, target, []),
        choose_stacks(shop, settings, target, ["old", "churn"]),
    )

    churn = {"churn": "shop-local-churn"}
    assert (chosen.in_app, chosen.without_app) == (churn, {"fraud": "shop-local-fraud"})
    assert (mixed.in_app, mixed.without_app) == (churn, {"old": "shop-local-old"})


def test_a_name_that_is_neither_is_refused_with_the_orphans(
    shop: Path, target: CloudTarget, deploy: Callable[..., str]
) -> None:
    settings = load_settings(shop / "serinus.toml", "local")
    with pytest.raises(CliError, match=r"no endpoint 'odl' in serinus\.toml for 'local'; it has churn, fraud\.$"):
        choose_stacks(shop, settings, target, ["odl"])
    deploy("old")
    with pytest.raises(CliError, match=r"no longer has in local: old\. Name them to delete them"):
        choose_stacks(shop, settings, target, ["odl"])
    (shop / "serinus.toml").write_text('[project]\nname = "shop"\n')
    with pytest.raises(CliError, match=r"no longer has in local: old\. Name them to delete them"):
        choose_stacks(shop, load_settings(shop / "serinus.toml", "local"), target, [])


def as_aws(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The offline cloud stands in for AWS, at the address that AWS's own variable names."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials of its first use
    monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.config.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", cloud.config.root_key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", cloud.config.root_key.secret_access_key)
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def test_on_aws_an_orphan_is_deleted_only_after_a_confirmation_and_without_protection(
    shop: Path, cloud: Cloud, target: CloudTarget, deploy: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop / "serinus.toml").write_text(SETTINGS + PROD)
    old, guarded = deploy("old", environment="prod"), deploy("guarded", environment="prod", protected=True)
    as_aws(cloud, monkeypatch)

    unconfirmed = run("destroy", "old", "--env", "prod")
    protected = run("destroy", "guarded", "--env", "prod", "--yes")
    assert unconfirmed.exit_code != 0
    assert "--yes is required to confirm this" in said(unconfirmed)
    assert f"{guarded} is protected from deletion" in said(protected)
    assert {old, guarded} <= existing(target)

    assert run("destroy", "old", "--env", "prod", "--yes").exit_code == 0
    assert old not in existing(target)


def test_a_deploy_names_what_it_leaves_behind_before_it_begins(
    shop: Path, deploy: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop / LOCK).write_text(render_lock({"dev": {"churn": Pin("a" * 64, "bundles/churn/a")}}))
    deploy("old")

    def stop(*_arguments: Any, **_options: Any) -> None:
        raise CliError("the deploy begins here")

    monkeypatch.setattr(cdk, "run", stop)
    done = run("deploy", "--local")

    assert "the deploy begins here" in said(done)
    assert "warning: old is no longer an endpoint of local in serinus.toml" in said(done)
    assert "left out of local, because serinus.lock pins no bundle for it there: fraud" in said(done)


def test_without_the_permission_to_list_stacks_status_says_so_and_shows_the_rest(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise CliError("not allowed to list stacks")

    monkeypatch.setattr(sys.modules["serinus.cli.orphaned_stacks"], "find_orphans", refuse)
    done = run("status", "--local")

    assert done.exit_code == 0
    assert "not allowed to list stacks" in done.output
    assert "churn  not deployed; no model is pinned, so deploys leave it out" in done.stdout
