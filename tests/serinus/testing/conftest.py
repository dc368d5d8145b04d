"""Projects whose tests use the fixtures, run by a pytest of their own as a person runs it."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

RunTests = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run_tests(tmp_path: Path) -> RunTests:
    """Runs pytest in a folder; its temporary files are below the test's own folder."""

    def run(
        folder: Path, *arguments: str, variables: Mapping[str, str] = {}, python: str | Path = sys.executable
    ) -> "subprocess.CompletedProcess[str]":
        command = [python, "-m", "pytest", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "pytest")]
        return subprocess.run(
            [*command, *arguments],
            cwd=folder,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=500,
        )

    return run


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh project made by `serinus init`."""
    folder = tmp_path / "shop"
    made = subprocess.run(
        [sys.executable, "-m", "serinus", "init", str(folder)], capture_output=True, text=True, timeout=120
    )
    assert made.returncode == 0, made.stderr
    return folder
