"""Runs the command as a person does: a process, its stdout, stderr and exit code."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serinus.cli.offline_process import RunningCloud
from serinus.cli.target import CloudTarget
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.serve import running
from serinus.offline.core.config import CloudConfig

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


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """An offline cloud in this process, of one module's tests."""
    with running(CloudConfig(port=0, max_workers=1)) as started:
        yield started


@pytest.fixture
def target(cloud: Cloud) -> CloudTarget:
    """`cloud` as commands reach it."""
    config = cloud.config
    return CloudTarget(RunningCloud(0, config.port, config.region, config.account_id, 1.0, config.root_key))
