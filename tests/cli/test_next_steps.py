"""Commands report steps that are not done yet as the next step, and not as failures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from serinus.cli import cdk, context, endpoints, offline_process
from serinus.cli.commands import destroy, doctor, init, package
from serinus.cli.destroyed_stacks import ChosenStacks
from serinus.cli.errors import CliError
from serinus.cli.main import app
from serinus.cli.target import CloudTarget
from serinus.offline.core.root_key import RootKey

CLOUD = offline_process.RunningCloud(1, 4577, "us-east-1", "123456789012", 60.0, RootKey.new())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as `serinus init` leaves it, on a machine that has all that is needed."""
    init.init(tmp_path / "shop", name="shop")
    monkeypatch.chdir(tmp_path / "shop")
    monkeypatch.setattr(doctor, "_node", lambda: doctor.DoctorCheck("Node 20", "ok", "v20"))
    monkeypatch.setattr(doctor, "_disk", lambda: doctor.DoctorCheck("disk", "ok", "5 GB"))
    return tmp_path / "shop"


def run_doctor(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["doctor", *arguments])


def test_the_doctor_misses_nothing_right_after_init(project: Path) -> None:
    done = run_doctor()
    assert done.exit_code == 0, done.output
    assert "nothing is missing. Next: serinus package MODEL --name NAME --sample SAMPLE.csv" in done.output
    (check,) = (item for item in json.loads(run_doctor("--json").stdout) if item["what"].startswith("CDK CLI"))
    assert (check["state"], check["found"]) == ("later", "not installed yet")
    assert check["remedy"].startswith("`serinus deploy` installs ")


def test_the_doctor_names_the_next_step(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "serinus.lock").touch()
    assert doctor.next_step() == "serinus local up, then serinus deploy --local"
    monkeypatch.setattr(offline_process, "find", lambda project: CLOUD)
    assert doctor.next_step() == "serinus deploy --local"
    monkeypatch.chdir(project.parent)
    assert doctor.next_step() == "serinus init FOLDER"


def test_the_doctor_still_fails_where_something_is_missing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_node", lambda: doctor.DoctorCheck("Node 20", "missing", "not on PATH", "nodejs"))
    done = run_doctor()
    assert done.exit_code == 1
    assert "nothing is missing" not in done.output


def test_a_project_that_pins_no_cdk_misses_it(project: Path) -> None:
    (project / "package.json").write_text("{}")
    done = run_doctor("--json")
    assert done.exit_code == 1
    (check,) = (item for item in json.loads(done.stdout) if item["what"].startswith("CDK CLI"))
    assert (check["state"], check["found"]) == ("missing", "no version in package.json")
    assert "does not pin aws-cdk" in check["remedy"]


def test_what_is_packaged_is_deployed_next(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert package.next_step(project, "dev", "churn") == "serinus local up, then serinus deploy churn --local"
    assert package.next_step(project, "prod", "churn") == "serinus deploy churn --env prod"
    monkeypatch.setattr(offline_process, "find", lambda project: CLOUD)
    assert package.next_step(project, "dev", "churn") == "serinus deploy churn --local"


@pytest.mark.parametrize("verbose", [False, True])
def test_destroy_prints_the_cdks_output_only_when_asked(
    project: Path, verbose: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs: list[Path | None] = []

    def run(
        folder: Path, arguments: Sequence[str], environment: Mapping[str, str], *, log: Path | None = None
    ) -> None:
        assert (folder, arguments[:2]) == (project, ["destroy", "shop-local-churn"])
        logs.append(log)

    here = context.CommandContext(project, "local", CloudTarget(CLOUD))
    monkeypatch.setattr(cdk, "run", run)
    monkeypatch.setattr(context, "resolve_context", lambda *_, **__: here)
    chosen = ChosenStacks({"churn": "shop-local-churn"}, {})
    monkeypatch.setattr("serinus.cli.destroyed_stacks.choose_stacks", lambda *_: chosen)
    monkeypatch.setattr(endpoints, "describe_stack", lambda *_: None)
    monkeypatch.setattr("serinus.cli.api_keys.drop_rotated", lambda *_: None)
    monkeypatch.setattr("serinus.cli.shared_stack.delete_unused", lambda *_: False)
    done = CliRunner().invoke(app, ["destroy", "churn", "--local", *(["--verbose"] if verbose else [])])
    assert done.exit_code == 0, done.output
    assert logs == [None if verbose else project / destroy.LOG]
    assert done.stdout.splitlines()[-1] == "destroyed churn"
    assert ("destroying churn" in done.output) == (not verbose)


def test_a_log_of_the_cdk_is_shown_where_it_fails(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdk, "prepare", lambda *_: (["sh", "-c", "echo the reason; exit 3"], {}))
    with pytest.raises(CliError, match=r"cdk destroy ended with exit code 3 \(log: "):
        cdk.run(project, ["destroy"], {}, log=project / destroy.LOG)
    assert "the reason" in (project / destroy.LOG).read_text()
