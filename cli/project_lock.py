"""One command at a time changes what a project has deployed: they share cdk.out, the lock and the alias."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from serinus.cli.console import notice
from serinus.cli.errors import CliError

_LOCK = ".serinus/changing.lock"


@contextlib.contextmanager
def turn(project: Path, *, wait: bool) -> Iterator[None]:
    """Hold the project's turn for the block. While another command has it: ``wait``, or raise `CliError`.

    The system gives the turn back when a command ends, however it does.
    """
    path = project / _LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise CliError(
                    "another `serinus deploy` or `serinus rollback` of this project is at work. "
                    "Look at what it has done when it has ended."
                ) from None
            notice("waiting for another `serinus deploy` or `serinus rollback` of this project to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
