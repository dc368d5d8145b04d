"""The cloud's end of the pipe to its reaper; see `serinus.offline.sandbox.reaper`."""

import subprocess
import sys
from pathlib import Path

from serinus.offline.core.errors import OfflineError
from serinus.offline.sandbox import reaper


class Reaper:
    """The process that kills workers if the cloud itself is killed; see `serinus.offline.sandbox.reaper`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, scratch: list[Path]) -> None:
        """Start it; directories in ``scratch`` are removed at the end."""
        script = Path(reaper.__file__)
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(script), *map(str, scratch)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def announce(self, group: int, alive: bool) -> None:
        if self._process is None or self._process.stdin is None:
            raise OfflineError("a worker was started before the sandbox was")
        self._process.stdin.write(f"{'+' if alive else '-'}{group}\n".encode())
        self._process.stdin.flush()

    def stop(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None
