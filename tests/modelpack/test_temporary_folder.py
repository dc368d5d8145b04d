"""Folders of a killed process are deleted by the next one, and those in use are not."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from serinus.modelpack.temporary_folder import PREFIX, TemporaryFolder

MAKE_AND_WAIT = """
import sys, time
from serinus.modelpack.temporary_folder import TemporaryFolder
folder = TemporaryFolder()
(folder.path / "file").write_text("content")
print(folder.path, flush=True)
time.sleep(600)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_folder_is_deleted_at_the_end_of_its_block(temporary: Path) -> None:
    with TemporaryFolder("-rehearsal") as folder:
        (folder / "file").write_text("content")
        assert folder.name.startswith(PREFIX)
        assert folder.name.endswith("-rehearsal")
    assert list(temporary.iterdir()) == []


def test_folders_of_killed_processes_are_deleted_and_those_in_use_are_kept(temporary: Path) -> None:
    other = temporary / f"{PREFIX}of-someone"
    other.mkdir()
    with subprocess.Popen([sys.executable, "-c", MAKE_AND_WAIT], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        with TemporaryFolder() as folder:
            assert sorted(temporary.iterdir()) == sorted([left, folder, other])
        os.kill(process.pid, signal.SIGKILL)
    assert (left / "file").exists()
    with TemporaryFolder() as folder:
        assert sorted(temporary.iterdir()) == sorted([folder, other])
