"""Measures a worker's memory from outside it.

On Linux from /proc; elsewhere from `ps`, which is too slow to run for every invocation.
"""

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident memory of a process in MB: now, and its peak."""

    current_mb: float
    peak_mb: float


def usage_of(pid: int) -> Usage | None:
    """The memory of process ``pid``; None once it has ended."""
    return _from_proc(pid) if sys.platform == "linux" else _from_ps(pid)


def _from_proc(pid: int) -> Usage | None:
    try:
        status = Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return None
    values = {}
    for line in status.splitlines():
        if line.startswith((b"VmHWM:", b"VmRSS:")):
            name, kilobytes, _ = line.split()
            values[name] = int(kilobytes) / 1024
    with contextlib.suppress(KeyError):  # a process that has ended reports no memory
        return Usage(values[b"VmRSS:"], values[b"VmHWM:"])
    return None


def _from_ps(pid: int) -> Usage | None:
    done = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    if done.returncode != 0 or not done.stdout.strip():
        return None
    resident_mb = int(done.stdout) / 1024
    return Usage(resident_mb, resident_mb)
