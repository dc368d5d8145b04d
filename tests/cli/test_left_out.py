"""Commands on endpoints that an environment leaves out: the others go on, and a named one is refused by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.cli.endpoints import deployable_stacks, select_endpoints
from serinus.cli.errors import CliError
from serinus.infra.settings import load_settings
from serinus.lambda_handlers.contract.lock import LOCK, Pin, render_lock

PROD = '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
PIN = Pin("a" * 64, "bundles/churn/aaaaaaaaaaaa")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Endpoints churn and fraud, of which dev pins both and prod one; spam exists in dev alone."""
    (tmp_path / "serinus.toml").write_text(
        '[project]\nname = "shop"\n[endpoint.churn]\n[endpoint.fraud]\n'
        f'[endpoint.spam]\nenvironments = ["dev"]\n{PROD}'
    )
    pins = {"churn": PIN, "fraud": PIN}
    (tmp_path / LOCK).write_text(render_lock({"dev": {**pins, "spam": PIN}, "prod": {"churn": PIN}}))
    return tmp_path


def test_a_deploy_of_all_goes_on_and_says_what_it_leaves_out(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployable_stacks(shop, "prod", []) == {"churn": "shop-prod-churn"}
    assert "left out of prod, because serinus.lock pins no bundle for it there: fraud" in capsys.readouterr().err
    assert set(deployable_stacks(shop, "dev", [])) == {"churn", "fraud", "spam"}
    assert capsys.readouterr().err == ""


def test_a_named_endpoint_without_a_pin_is_refused_with_the_command_that_pins_it(
    serinus: Callable[..., Any], shop: Path
) -> None:
    done = serinus("deploy", "churn", "fraud", "--env", "prod", cwd=shop)

    assert (done.returncode, done.stdout) == (1, "")
    assert (
        "fraud cannot be deployed to prod: serinus.lock pins no bundle of model fraud there. `serinus pin fraud "
        "--from dev --to prod` pins the bundle that dev pins" in done.stderr
    )


def test_a_named_endpoint_that_exists_elsewhere_is_refused_with_where(shop: Path) -> None:
    with pytest.raises(
        CliError, match=r"endpoint spam does not exist in prod: `environments` in \[endpoint\.spam\]"
    ):
        deployable_stacks(shop, "prod", ["spam"])


def test_an_environment_in_which_nothing_is_pinned_has_nothing_to_deploy(shop: Path) -> None:
    (shop / LOCK).unlink()

    with pytest.raises(CliError, match="churn cannot be deployed to prod"):
        deployable_stacks(shop, "prod", [])


def test_an_environment_without_endpoints_is_named(tmp_path: Path) -> None:
    (tmp_path / "serinus.toml").write_text(
        f'[project]\nname = "shop"\n[endpoint.spam]\nenvironments = ["dev"]\n{PROD}'
    )

    with pytest.raises(CliError, match=r"no endpoint of serinus\.toml exists in prod: `environments` of spam"):
        select_endpoints(load_settings(tmp_path / "serinus.toml", "prod"), [])


def test_lint_shows_what_is_left_out_and_is_green(serinus: Callable[..., Any], shop: Path) -> None:
    done = serinus("lint", "--env", "prod", cwd=shop)
    data = json.loads(serinus("lint", "--env", "prod", "--json", cwd=shop).stdout)

    assert done.returncode == 0
    assert "note line 4: endpoint.fraud: it is left out of prod" in done.stdout
    assert "no problems in environment prod" in done.stdout
    assert [(item["severity"], item["endpoint"]) for item in data] == [("note", "fraud")]


def test_status_says_that_deploys_leave_it_out(serinus: Callable[..., Any], shop: Path) -> None:
    done = serinus("status", "fraud", "--env", "prod", "--local", cwd=shop)

    assert done.stdout == "fraud  deployment unknown; no model is pinned\n"
