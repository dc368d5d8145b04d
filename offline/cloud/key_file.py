"""The file with the key of a cloud that was started without --credentials: there while the cloud runs.

Its process holds a lock on it, so that the next cloud to start can remove the file of one that was killed.
"""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from serinus.offline.core.root_key import RootKey

SUFFIX = ".credentials"


def default_path(port: int) -> Path:
    """The file with the key of a cloud at ``port``."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "offline-cloud" / f"{port}{SUFFIX}"


@contextlib.contextmanager
def published(key: RootKey, path: Path) -> Iterator[None]:
    """Keep ``key`` in ``path`` meanwhile; call it once the port is taken. Raises `OfflineError`."""
    key.write(path)
    lock = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        _remove_stale(path.parent)
        yield
    finally:
        # Another cloud may have taken the port, and written its own key, as soon as it was free.
        _remove(path, lock)
        os.close(lock)


def _remove_stale(folder: Path) -> None:
    """Remove the files whose processes have ended."""
    for path in folder.glob(f"*{SUFFIX}"):
        if not path.stem.isascii() or not path.stem.isdecimal():
            continue
        with contextlib.suppress(OSError):
            lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_free(int(path.stem)):
                    _remove(path, lock)
            finally:
                os.close(lock)


def _is_free(port: int) -> bool:
    """Whether nobody listens at ``port``; a cloud of an earlier version holds no lock on its file."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("", port))
        except (OSError, OverflowError):
            return False
    return True


def _remove(path: Path, opened: int) -> None:
    """Remove ``path`` if it is still the file that is ``opened``."""
    with contextlib.suppress(OSError):
        if os.path.samestat(os.fstat(opened), path.stat()):
            path.unlink()
