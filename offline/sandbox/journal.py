"""One worker's log stream: the function's output and the platform's lines, in order.

Standard output and error share one pipe, as on AWS they share one stream. The pipe is drained as soon as a
response arrives, so an invocation's lines appear between its START and END.
"""

import os
from collections.abc import Callable

from serinus.offline.core.clock import Clock

#: The size of an invocation's log with LogType Tail.
TAIL_BYTES = 4096
READ_BYTES = 65536
#: AWS's runtime client separates the lines of one multi-line error by carriage returns.
SAME_EVENT_NEWLINE = "\r"

Sink = Callable[[list[tuple[float, str]]], None]


class WorkerLog:
    """Turns a pipe's output into log events for ``sink``; ``muted`` drops them instead."""

    def __init__(self, sink: Sink, clock: Clock) -> None:
        self.sink = sink
        self.clock = clock
        self.muted = False
        self._partial = b""
        self._tail: list[str] = []
        self._tail_bytes = 0

    def write(self, *messages: str | None) -> None:
        """Append platform lines, and none for None."""
        at = self.clock.time()
        self._emit([(at, message + "\n") for message in messages if message is not None])

    def drain(self, fd: int) -> bool:
        """Read the pipe's present content without waiting; False when its other end is closed."""
        while True:
            try:
                data = os.read(fd, READ_BYTES)
            except BlockingIOError:
                return True
            if not data:
                self.flush()
                return False
            self.feed(data)

    def feed(self, data: bytes) -> None:
        """Log output of the function; an incomplete last line waits for its rest."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        self._print(lines)

    def flush(self) -> None:
        """Log a last line without a line end."""
        if self._partial:
            partial, self._partial = self._partial, b""
            self._print([partial])

    def begin(self) -> None:
        """Start a new invocation, with an empty tail."""
        self._tail = []
        self._tail_bytes = 0

    def tail(self) -> str:
        """The last 4 KB of the log since `begin`."""
        return "".join(self._tail).encode()[-TAIL_BYTES:].decode(errors="ignore")

    def _print(self, lines: list[bytes]) -> None:
        at = self.clock.time()
        texts = [line.decode(errors="replace").replace(SAME_EVENT_NEWLINE, "\n") for line in lines if line]
        self._emit([(at, text + "\n") for text in texts])

    def _emit(self, events: list[tuple[float, str]]) -> None:
        if self.muted or not events:
            return
        for _, message in events:
            self._tail.append(message)
            self._tail_bytes += len(message)
        while len(self._tail) > 1 and self._tail_bytes - len(self._tail[0]) > TAIL_BYTES:
            self._tail_bytes -= len(self._tail.pop(0))
        self.sink(events)
