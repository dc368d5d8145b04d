"""Runs the command as a person does: a process, its stdout, stderr and exit code."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Serinus = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def serinus(tmp_path: Path) -> Serinus:
    def run(*arguments: str, cwd: Path = tmp_path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "serinus", *arguments], cwd=cwd, capture_output=True, text=True, timeout=300
        )

    return run


@pytest.fixture
def project(serinus: Serinus, tmp_path: Path) -> Path:
    """A fresh project made by `serinus init`."""
    folder = tmp_path / "shop"
    assert serinus("init", str(folder)).returncode == 0
    return folder
