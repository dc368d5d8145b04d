"""The last resort against leftovers: a process of its own that outlives the cloud by a moment.

It holds one end of a pipe. While the cloud lives it is told which worker process groups exist; when the pipe
ends, however the cloud died, it kills those that are left and removes the cloud's scratch directory. That
works alike on Linux and macOS and puts nothing (no thread, no signal setting) into the workers themselves.

Run as a script, without the rest of the package: reads ``+PGID`` and ``-PGID`` lines on standard input; its
arguments are directories to remove at the end.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TextIO


def follow(lines: TextIO) -> set[int]:
    """The process groups that were announced and not withdrawn when ``lines`` ended."""
    alive: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line[0] == "+":
            alive.add(group)
        else:
            alive.discard(group)
    return alive


def kill_group(group: int) -> None:
    """SIGKILL to a whole process group; one that is gone already is fine."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def remove_tree(root: Path) -> None:
    """Remove a tree that may be read-only; one that is gone already is fine."""
    for directory, _, _ in os.walk(root):
        Path(directory).chmod(0o755)
    shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    for orphan in follow(sys.stdin):
        kill_group(orphan)
    for leftover in sys.argv[1:]:
        remove_tree(Path(leftover))
