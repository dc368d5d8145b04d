"""Commands in a folder that may not be written to end in a sentence and leave nothing."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
LIBC = ctypes.CDLL(None)
COMMANDS = [
    "package model.pkl --sample sample.csv --name risk",
    "package model.pkl --sample sample.csv --name other --candidate",
    "build",
    "lint",
    "local up",
    "pin risk --remove --yes",
    "rehearse risk",
    "simulate risk",
    "init sub",
    "eject plain",
]


def without_override() -> None:
    """Root, too, is refused by permissions."""
    if os.getuid() == 0:
        LIBC.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "node_modules" not in path.parts}


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with a packaged model, in a folder that nobody may write to."""
    folder = tmp_path_factory.mktemp("shop")
    making = (
        "import pickle, pandas, numpy\nfrom sklearn.linear_model import LogisticRegression\n"
        "rows = pandas.DataFrame(numpy.random.default_rng(0).normal(size=(60, 2)), columns=['a', 'b'])\n"
        "pickle.dump(LogisticRegression().fit(rows, rows.a > 0), open('model.pkl', 'wb'))\n"
        "rows.to_csv('sample.csv', index=False)"
    )
    subprocess.run([sys.executable, "-c", making], cwd=folder, check=True)
    for command in ("init", "package model.pkl --sample sample.csv --name risk"):
        arguments = [sys.executable, "-m", "serinus", *command.split()]
        subprocess.run(arguments, cwd=folder, check=True, capture_output=True)
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in folders:
        path.chmod(0o555)
    yield folder
    for path in folders:
        path.chmod(0o755)


@pytest.mark.skipif(not sys.platform.startswith("linux") and os.getuid() == 0, reason="root may write anywhere")
@pytest.mark.slow
@pytest.mark.xdist_group("read-only")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_read_only_folder_is_a_sentence(read_only: Path, command: str) -> None:
    before = files(read_only)

    done = subprocess.run(
        [sys.executable, "-m", "serinus", *command.split()],
        cwd=read_only,
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=without_override,
    )

    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert files(read_only) == before
    if command == "lint":
        assert done.returncode == 0, said
    else:
        assert done.returncode != 0
        last = done.stderr.strip().splitlines()[-1]
        assert last.startswith("error: ")
        assert "ermission" in last
