"""`serinus doctor --aws-account` before it changes anything."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

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
