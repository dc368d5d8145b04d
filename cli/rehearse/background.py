"""A program at work in the background, which ends when the rehearsal does."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from serinus.cli import cdk
from serinus.cli.errors import CliError
from serinus.modelpack.supervised.group import ProcessGroup

_END_PATIENCE_S = 10.0


class BackgroundProcess:
    """A process in a group of its own, which Ctrl-C reaches only through `end`, and which ends with this one,
    however that ends; its output goes to ``log``."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as sink:
            self._group = ProcessGroup(command, (), dict(environment), folder=folder, output=sink.fileno())

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._group.exit_code()

    def require_success(self) -> None:
        """Wait for the end; `CliError` with the program's last output unless it succeeded."""
        if self._group.wait() != 0:
            raise CliError(f"the release could not be built or deployed:\n{cdk.last_lines(self.log)}")

    def end(self) -> None:
        """Terminate it, whatever it is doing."""
        if self._group.exit_code() is None:
            self._group.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._group.wait(_END_PATIENCE_S)
        self._group.end(at_once=True)


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C, SIGTERM and SIGHUP, so that a clean-up that has begun is completed."""
    before = {
        signal_number: signal.signal(signal_number, signal.SIG_IGN)
        for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for signal_number, handler in before.items():
            signal.signal(signal_number, handler)
