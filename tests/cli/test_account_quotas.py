"""The doctor tells of what an account's quotas leave no room for, and of nothing else."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner

from serinus.cli.account_quotas import exceeded
from serinus.cli.commands import doctor
from serinus.cli.main import app
from serinus.infra.settings import load_settings

PROJECT = '[project]\nname = "shop"\n'
RESERVED = PROJECT + "[endpoint.churn]\nreserved_concurrency = 4\n"
READY = (
    PROJECT + '[endpoint.churn]\ncold_start = "provisioned"\n[endpoint.churn.provisioned]\nenvironments = 2\n'
    "maximum = 850\ntarget_percent = 70\n[endpoint.fraud]\nreserved_concurrency = 60\n"
)


def said(folder: Path, text: str, concurrent_executions: int) -> str:
    (folder / "serinus.toml").write_text(text, encoding="utf-8")
    return "; ".join(exceeded(load_settings(folder / "serinus.toml", "dev"), concurrent_executions))


def test_a_new_account_has_nothing_to_reserve(tmp_path: Path) -> None:
    assert "need 4 (churn 4); an account with 10 concurrent executions leaves 0" in said(tmp_path, RESERVED, 10)
    assert said(tmp_path, RESERVED, 1000) == ""


def test_ready_environments_and_reservations_are_added(tmp_path: Path) -> None:
    assert "need 910 (churn 850, fraud 60); an account with 1000" in said(tmp_path, READY, 1000)
    assert said(tmp_path, READY, 1010) == ""


def test_environments_within_a_reservation_count_once(tmp_path: Path) -> None:
    text = READY.replace('cold_start = "provisioned"', 'cold_start = "provisioned"\nreserved_concurrency = 840')
    assert said(tmp_path, text, 1000) == ""


@pytest.mark.parametrize(
    ("memory_mb", "executions", "told"), [(3009, 10, True), (3008, 10, False), (4096, 1000, False)]
)
def test_memory_beyond_a_reduced_quota_is_told(
    tmp_path: Path, memory_mb: int, executions: int, told: bool
) -> None:
    text = f"{PROJECT}[endpoint.churn]\nmemory_mb = {memory_mb}\n"
    assert ("may allow 3008" in said(tmp_path, text, executions)) is told


class Account:
    """Account 123456789012, with so many concurrent executions; without a number it refuses to tell."""

    def __init__(self, executions: int | None) -> None:
        self.executions, self.regions = executions, list[str | None]()

    def client(self, service: str, region: str | None) -> Any:
        client = boto3.client(service, "us-east-1", aws_access_key_id="a", aws_secret_access_key="s")
        stubber = Stubber(client)
        stubber.activate()
        if service == "sts":
            stubber.add_response("get_caller_identity", {"Account": "123456789012"})
        elif self.executions is None:
            stubber.add_client_error("get_account_settings", "AccessDeniedException")
        else:
            self.regions.append(region)
            limit = {"ConcurrentExecutions": self.executions, "UnreservedConcurrentExecutions": self.executions}
            stubber.add_response("get_account_settings", {"AccountLimit": limit})
        return client


def checks(monkeypatch: pytest.MonkeyPatch, project: Path, account: Account) -> list[dict[str, str]]:
    """What `serinus doctor --json` says of quotas."""
    monkeypatch.chdir(project)
    monkeypatch.setattr(doctor, "_credentials", lambda: doctor.DoctorCheck("AWS credentials", "ok", "found"))
    monkeypatch.setattr(doctor, "_aws_client", account.client)
    found = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).stdout)
    return [check for check in found if check["what"].startswith("Lambda's quotas")]


NAMED = (
    RESERVED
    + '[env.prod]\naccount = "123456789012"\nregion = "eu-west-1"\n'
    + '[env.stage]\naccount = "999999999999"\nregion = "eu-west-1"\n'
)


def test_the_doctor_warns_for_each_environment_of_this_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "serinus.toml").write_text(NAMED, encoding="utf-8")
    account = Account(10)
    found = checks(monkeypatch, tmp_path, account)
    assert [(check["what"], check["state"]) for check in found] == [
        ("Lambda's quotas for environment dev", "optional"),
        ("Lambda's quotas for environment prod", "optional"),
    ]
    assert "need 4 (churn 4)" in found[0]["found"]
    assert account.regions == [None, "eu-west-1"]


def test_quotas_that_suffice_are_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "serinus.toml").write_text(RESERVED, encoding="utf-8")
    (check,) = checks(monkeypatch, tmp_path, Account(1000))
    assert (check["state"], check["found"]) == ("ok", "1000 concurrent executions")


def test_quotas_that_cannot_be_read_are_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "serinus.toml").write_text(RESERVED, encoding="utf-8")
    (check,) = checks(monkeypatch, tmp_path, Account(None))
    assert check["state"] == "optional"
    assert "AccessDeniedException" in check["found"]
    assert "lambda:GetAccountSettings" in check["remedy"]


def test_without_a_project_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account(10)
    assert checks(monkeypatch, tmp_path, account) == []
    assert account.regions == []
