"""A process that ends with the one that started it, together with its process group.

A shell leads the group and waits for its standard input to end. That input is a pipe whose other end only this
process holds: however this process ends, killed or not, the pipe ends, and the shell kills the group. This needs
no cooperation of the code that runs in the process, which may hold Python's lock. Processes that this code starts
in a session or group of their own are not reached.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

_GUARD = ("/bin/sh", "-c", "read -r nothing; kill -KILL 0")
_GRACE_S = 5.0


class ProcessGroup:
    """``command`` with the file descriptors ``kept``, started in ``folder`` and in a group of its own. Its output
    and errors go to ``output``, by default standard error; its input is empty."""

    def __init__(
        self,
        command: Sequence[str | Path],
        kept: Sequence[int],
        environment: dict[str, str],
        *,
        folder: Path | None = None,
        output: int = 2,
    ) -> None:
        nothing = subprocess.DEVNULL
        self._guard = subprocess.Popen(
            _GUARD, stdin=subprocess.PIPE, stdout=nothing, stderr=nothing, process_group=0
        )
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=nothing,
                stdout=output,
                stderr=output,
                pass_fds=tuple(kept),
                env=environment,
                process_group=self._guard.pid,
            )
        except BaseException:
            self._kill()
            raise

    def exit_code(self) -> int | None:
        """As from `subprocess.Popen.poll`: None while it runs, negative where a signal ended it."""
        return self._process.poll()

    def wait(self, timeout_s: float | None = None) -> int:
        """The exit code, once it has ended; raises `subprocess.TimeoutExpired` after ``timeout_s``."""
        return self._process.wait(timeout_s)

    def terminate(self) -> None:
        """Ask the process and its group to end."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._guard.pid, signal.SIGTERM)

    def end(self, *, at_once: bool) -> None:
        """End the process and its group: ``at_once``, or after a grace period."""
        if not at_once:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S)
        self._kill()
        self._process.wait()

    def _kill(self) -> None:
        # The guard has not been waited for, so no other group can have its number.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._guard.pid, signal.SIGKILL)
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()


def ending(exit_code: int) -> str:
    """How a process ended, for a sentence: "ended with exit code 3"."""
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    return f"was killed ({name})" if -exit_code == signal.SIGKILL else f"crashed ({name})"
