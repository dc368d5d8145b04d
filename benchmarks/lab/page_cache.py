"""Takes files out of the kernel's page cache, as they are in an environment that never read them.

By `posix_fadvise`, file by file: it needs no rights and leaves other people's files cached. What a running
process has mapped stays, so the interpreter's own library may be warm where another Python of it runs.
"""

import os
from collections.abc import Iterable
from pathlib import Path


def drop(folders: Iterable[Path]) -> None:
    """Drop every file below ``folders``, which must have been written out (`os.sync`) before."""
    for folder in folders:
        for path, _, names in os.walk(folder):
            for name in names:
                _drop_file(os.path.join(path, name))  # noqa: PTH118  thousands of files, before every run


def _drop_file(path: str) -> None:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # a link to nowhere
        return
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)
