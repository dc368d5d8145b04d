"""The folder that a trial is kept in: only a new one, and only after success."""

from pathlib import Path

import pytest

from serinus.cli.errors import CliError, WrongUsage
from serinus.cli.trial.folder import kept_folder


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
