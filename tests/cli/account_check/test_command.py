"""`serinus doctor --aws-account` before it changes anything."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from serinus.cli.offline_process import VARIABLE_LOCAL_URL

Serinus = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.parametrize("option", [["--yes"], ["--local"], ["--port", "4577"], ["--report", "docs"]])
def test_options_of_the_check_need_it(serinus: Serinus, project: Path, option: list[str]) -> None:
    done = serinus("doctor", *option, cwd=project)
    assert done.returncode == 2
    assert "options of --aws-account. Add it." in done.stderr


def test_it_needs_a_running_cloud_with_local(serinus: Serinus, project: Path) -> None:
    done = serinus("doctor", "--aws-account", "--local", "--yes", cwd=project)
    assert done.returncode == 1
    assert "no offline cloud of this project is running" in done.stderr


def test_it_needs_a_project(serinus: Serinus, tmp_path: Path) -> None:
    done = serinus("doctor", "--aws-account", "--yes", cwd=tmp_path)
    assert done.returncode == 1
    assert "no serinus.toml" in done.stderr


@pytest.mark.parametrize("port", [["--port", "4577"], []])
def test_what_names_an_offline_cloud_never_leads_to_aws(
    serinus: Serinus, project: Path, monkeypatch: pytest.MonkeyPatch, port: list[str]
) -> None:
    """Its port, or a shell that is set up for it."""
    if not port:
        monkeypatch.setenv(VARIABLE_LOCAL_URL, "http://127.0.0.1:4577")
    done = serinus("doctor", "--aws-account", "--yes", *port, cwd=project)
    assert done.returncode != 0
    assert "Add --local" in done.stderr
