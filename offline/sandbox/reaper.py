"""Cleans up after a killed cloud: a separate process that briefly outlives it.

It holds one end of a pipe, through which the cloud reports its worker process groups; when the pipe ends, however
the cloud died, it kills those that are left and removes the cloud's scratch directory. That works on Linux and
macOS alike and adds nothing (no thread, no signal setting) to the workers themselves.

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
    """The process groups announced and not withdrawn when ``lines`` ended."""
    alive: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line[0] == "+":
            alive.add(group)
        else:
            alive.discard(group)
    return alive


def kill_group(group: int) -> None:
    """Send SIGKILL to a process group, if it still exists."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def remove_tree(root: Path) -> None:
    """Remove a directory tree, even a read-only one, if it still exists."""
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
