"""The CPU share of a memory size, enforced by the kernel: cgroup version 1 or 2, whichever may be written here.

Lambda gives a whole CPU at 1769 MB and proportionally less below
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). The share holds for the whole life of a
process, while Lambda is widely seen to give init more: figures are for a throttled process, not for a function.
"""

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

MEGABYTES_PER_CPU = 1769
#: Short, so that a process of a few hundred milliseconds sees many of them and not one large first gift.
PERIOD_US = 20_000
_ROOT = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def limited_to(memory_mb: int | None) -> Iterator[Path | None]:
    """A control group with the CPU share of ``memory_mb``, as the file that takes process ids; None for None.
    Raises `OSError` where groups cannot be made: ask `why_not` first."""
    if memory_mb is None:
        yield None
        return
    folder = _parent() / f"serinus-bench-{os.getpid()}"
    folder.mkdir()
    try:
        quota_us = PERIOD_US * memory_mb // MEGABYTES_PER_CPU
        if _is_version_2():
            (folder / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
        else:
            (folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (folder / "cpu.cfs_quota_us").write_text(str(quota_us))
        yield folder / "cgroup.procs"
    finally:
        _remove(folder)


def why_not() -> str | None:
    """Why this machine cannot throttle, in words; None where it can."""
    try:
        with limited_to(MEGABYTES_PER_CPU):
            return None
    except OSError as error:
        return (
            f"this machine does not let a process throttle another ({error}): only unthrottled rows were measured"
        )


def _remove(folder: Path) -> None:
    """The kernel lets a group go only once the last of its processes is gone, killed or not."""
    for _ in range(100):
        try:
            folder.rmdir()
            return
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            time.sleep(0.02)
    folder.rmdir()


def _is_version_2() -> bool:
    return (_ROOT / "cgroup.controllers").is_file()


def _parent() -> Path:
    """The group of this process, below which another may be made."""
    wanted = "" if _is_version_2() else "cpu"
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if wanted in controllers.split(","):
            return (_ROOT / wanted / path.lstrip("/")).resolve()
    return _ROOT / wanted
