"""What a person did wrong ends in one clear line and the right exit code."""

import json
from pathlib import Path

import pytest


def test_outside_a_project_the_next_step_is_named(serinus, tmp_path: Path) -> None:
    done = serinus("inspect", "churn")
    assert done.returncode == 1
    assert "no serinus.toml in" in done.stderr
    assert "`serinus init` writes one" in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(serinus) -> None:
    assert "Traceback" in serinus("--debug", "inspect", "churn").stderr


def test_wrong_usage_is_exit_code_2(serinus) -> None:
    assert serinus("package").returncode == 2
    assert serinus("fly").returncode == 2


def test_a_model_that_is_not_pinned_is_named_with_those_that_are(serinus, project: Path) -> None:
    done = serinus("inspect", "churn", cwd=project)
    assert done.returncode == 1
    assert "pins no bundle of model churn for environment dev (it pins: none)" in done.stderr


def test_without_a_cloud_local_commands_say_how_to_start_one(serinus, project: Path) -> None:
    for command in (["deploy", "--local"], ["local", "env"], ["destroy", "--local"]):
        done = serinus(*command, cwd=project)
        assert done.returncode == 1
        assert "`serinus local up` starts one" in done.stderr


def test_status_without_a_cloud_is_data_and_exit_code_1(serinus, project: Path) -> None:
    done = serinus("local", "status", "--json", cwd=project)
    assert (done.returncode, json.loads(done.stdout)) == (1, {"running": False})


def test_settings_errors_come_with_their_line(serinus, project: Path) -> None:
    with (project / "serinus.toml").open("a") as settings:
        settings.write("\n[endpoint.churn]\nmemory_mb = 64\n")
    done = serinus("build", cwd=project)
    assert done.returncode == 1
    assert "memory_mb" in done.stderr
    assert "128" in done.stderr


@pytest.mark.parametrize(
    ("content", "suffix", "says"),
    [
        ("[1, 2", ".json", "cannot be read as .json"),
        ("[]", ".json", "holds no rows"),
        ('"text"', ".json", "holds no rows"),
    ],
)
def test_rows_that_cannot_be_read_are_refused(
    serinus, project: Path, content: str, suffix: str, says: str
) -> None:
    rows = project / f"rows{suffix}"
    rows.write_text(content)
    done = serinus("predict", "churn", "--data", str(rows), cwd=project)
    assert done.returncode == 1
    assert says in done.stderr
