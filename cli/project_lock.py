"""Only one command at a time changes what a project has deployed: they share cdk.out, the lock and the alias."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from serinus.cli.console import notice
from serinus.cli.errors import CliError

_LOCK = ".serinus/changing.lock"
_held: list[int] = []


@contextlib.contextmanager
def project_lock(project: Path, *, wait: bool) -> Iterator[None]:
    """Hold the project's lock for the block. While another command holds it: ``wait``, or raise `CliError`.

    The operating system releases the lock when the command ends, however it ends, and the programs that hold it
    too (`held_files`): a CDK CLI goes on where only the command was killed.
    """
    path = project / _LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise CliError(
                    "another `serinus deploy` or `serinus rollback` of this project is running. "
                    "Wait for it to end, check `serinus status`, then try again."
                ) from None
            notice("waiting for another `serinus deploy` or `serinus rollback` of this project to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        _held.append(lock.fileno())
        try:
            yield
        finally:
            _held.remove(lock.fileno())


def held_files() -> tuple[int, ...]:
    """The open files to hand to a program, so that it holds this command's locks too."""
    return tuple(_held)
