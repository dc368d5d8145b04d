"""The folder that a trial is kept in."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serinus.cli.errors import CliError, WrongUsage


@contextmanager
def kept_folder(folder: Path) -> Iterator[Path]:
    """``folder``, which is empty or does not exist yet; emptied again if the block fails. Raises `WrongUsage` if
    it holds anything, and `CliError` if it cannot be created."""
    folder = folder.resolve()
    try:
        existed = folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise WrongUsage(f"--keep {folder} is not empty. Name a new folder for the project.")
        if not os.access(folder, os.W_OK):
            raise CliError(f"--keep {folder} is not writable. Name a folder that you may write to.")
    except OSError as error:
        raise CliError(
            f"--keep {folder} cannot be created: {error.strerror}. Name a folder that you may write to."
        ) from error
    try:
        yield folder
    except BaseException:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if not existed:
            folder.rmdir()
        raise
