"""Folders of trials: one is removed with its cloud when the trial ends, or by the next trial if it was killed."""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serinus.cli import offline_process
from serinus.cli.errors import CliError, WrongUsage

PREFIX = "serinus-try-"
#: A younger folder may belong to a trial that has not locked it yet.
_STALE_AFTER_S = 10.0


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is locked while the trial lives, and removed afterwards."""
    remove_stale_folders()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    with _locked(folder):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


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


def remove_stale_folders() -> None:
    """Stop the clouds of killed trials of this user, and remove their folders."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, CliError):  # another trial removes it, or it is another user's
            status = folder.lstat()
            if status.st_uid != os.getuid() or time.time() - status.st_mtime < _STALE_AFTER_S:
                continue
            with _locked(folder):
                while (cloud := offline_process.find(folder)) is not None:
                    offline_process.stop(folder, cloud)
                offline_process.end_unrecorded(folder)
                shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock on ``folder``, which the operating system releases when the process ends; raises
    `BlockingIOError` if another process holds it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
