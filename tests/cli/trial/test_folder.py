"""Folders of trials: removed at the end, or by the next trial, and never somebody else's."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from serinus.cli import offline_process
from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.trial.folder import PREFIX, kept_folder, remove_stale_folders, temporary_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def make_old(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "serinus.toml").touch()
    hour_ago = time.time() - 3600
    os.utime(folder, (hour_ago, hour_ago))
    return folder


def test_a_folder_is_removed_after_a_failure_too(temporary: Path) -> None:
    def fail() -> None:
        with temporary_folder() as folder:
            (folder / "bundles").mkdir()
            raise CliError("no")

    with pytest.raises(CliError, match="no"):
        fail()
    assert list(temporary.iterdir()) == []


def test_folders_of_killed_trials_are_removed_and_others_stay(temporary: Path) -> None:
    killed, other = make_old(temporary / f"{PREFIX}killed"), make_old(temporary / "other")
    (young := temporary / f"{PREFIX}young").mkdir()
    with temporary_folder() as alive:
        make_old(alive)
        remove_stale_folders()
        assert not killed.exists()
        assert alive.is_dir()
        assert young.is_dir()
        assert other.is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("recorded", [True, False])
def test_the_cloud_of_a_killed_trial_is_stopped(temporary: Path, recorded: bool) -> None:
    """Also one whose trial was killed before it had recorded it."""
    folder = temporary / f"{PREFIX}killed"
    script = (
        "import sys; from pathlib import Path; from serinus.cli import offline_process as clouds; "
        "from serinus.cli.rehearse.environment import free_port; folder = Path(sys.argv[1]); folder.mkdir(); "
        "print(clouds.start(folder, port=free_port(), identity=clouds.CloudIdentity(), speed=1).pid)"
    )
    started = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True
    )
    make_old(folder)
    if recorded:
        assert offline_process.find(folder) is not None
    else:
        (record,) = (folder / ".serinus/local").glob("cloud-*.json")
        record.unlink()
    make_old(folder)
    remove_stale_folders()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.stdout), 0)


def test_a_kept_folder_stays_after_success_alone(tmp_path: Path) -> None:
    with kept_folder(tmp_path / "a" / "kept") as folder:
        (folder / "serinus.toml").touch()
    assert (tmp_path / "a" / "kept" / "serinus.toml").exists()

    def fail() -> None:
        with kept_folder(tmp_path / "failed") as folder:
            (folder / "bundles").mkdir()
            (folder / "serinus.toml").touch()
            raise CliError("no")

    with pytest.raises(CliError, match="no"):
        fail()
    assert not (tmp_path / "failed").exists()


def test_a_folder_with_content_is_rejected_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes").touch()
    with pytest.raises(WrongUsage, match="is not empty"), kept_folder(tmp_path):
        pass
    assert (tmp_path / "notes").exists()


def test_a_folder_below_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(CliError, match=r"cannot be created: Not a directory\."),
        kept_folder(tmp_path / "file" / "x"),
    ):
        pass
