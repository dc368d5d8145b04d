"""Temporary folders that the next command deletes where the process that made them was killed."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

#: Of the names of all of them.
PREFIX = "serinus-"
#: A lock on this file is held as long as the folder is in use: the operating system releases it, however the
#: process ends.
_IN_USE = ".in-use"


class TemporaryFolder:
    """A new folder ``within`` another, hidden there, or among the system's temporary files; deleted by `cleanup`
    or at the end of a ``with`` block. Making one deletes those of this user whose process was killed before."""

    def __init__(self, suffix: str = "", *, within: Path | None = None) -> None:
        parent = Path(tempfile.gettempdir()) if within is None else within
        prefix = PREFIX if within is None else f".{PREFIX}"
        _delete_abandoned(parent, prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, suffix=suffix, dir=parent))
        # Not seen by others before it is locked.
        unlocked = self.path / f"{_IN_USE}.new"
        self._lock = os.open(unlocked, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        unlocked.rename(self.path / _IN_USE)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_error: object) -> None:
        self.cleanup()

    def cleanup(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _delete_abandoned(parent: Path, prefix: str) -> None:
    for lock in parent.glob(f"{prefix}*/{_IN_USE}"):
        with contextlib.suppress(OSError):
            if lock.parent.is_symlink() or lock.parent.stat().st_uid != os.getuid():
                continue
            opened = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
            finally:
                os.close(opened)
