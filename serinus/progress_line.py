"""Progress of long work in Python: one line that changes, in a notebook or a terminal, and lines elsewhere.

No widgets and no control sequences but the carriage return: every front end of a notebook shows plain text.
"""

import sys
import time
from types import TracebackType
from typing import Any

_BAR_WIDTH = 20


class ProgressLine:
    """Shows how many of ``steps`` steps of ``title`` are done, unless it is ``silent``."""

    def __init__(self, title: str, steps: int, *, silent: bool = False) -> None:
        self._title, self._steps, self._silent = title, steps, silent
        self._done = -1
        self._began = time.monotonic()
        self._shown = ""
        #: The notebook's output that is updated.
        self._display: Any = None

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and self._done >= 0:
            self._end(f"{self._title} failed after {self._seconds}")

    def stage(self, name: str) -> None:
        """Show that the stage ``name`` began, which is a step, or a part of it, "STAGE: PART"."""
        self.show(max(self._done, 0) if ": " in name else self._done + 1, name)

    def show(self, done: int, text: str) -> None:
        """Show that ``done`` steps are done, and what is under way."""
        self._done = done
        filled = _BAR_WIDTH * min(done, self._steps) // self._steps
        bar = "█" * filled + "░" * (_BAR_WIDTH - filled)
        self._write(f"{self._title} {bar} {text} ({self._seconds})", plain=f"{text} …")

    def notice(self, message: str) -> None:
        """Print a line that stays."""
        if self._silent:
            return
        if _notebook() is not None:
            print(message)
            return
        self._clear()
        print(message, file=sys.stderr)

    def finish(self, text: str) -> None:
        """Replace the line by ``text``."""
        self._end(text)

    @property
    def _seconds(self) -> str:
        return f"{time.monotonic() - self._began:.1f} s"

    def _write(self, line: str, *, plain: str) -> None:
        if self._silent:
            return
        if (notebook := _notebook()) is not None:
            data = {"text/plain": line}
            if self._display is None:
                self._display = notebook.display(data, raw=True, display_id=True)
            else:
                self._display.update(data, raw=True)
        elif sys.stderr.isatty():
            self._clear()
            self._shown = line
            print(line, end="", file=sys.stderr, flush=True)
        else:
            print(plain, file=sys.stderr, flush=True)

    def _end(self, text: str) -> None:
        if self._silent:
            return
        if self._display is not None:
            self._display.update({"text/plain": text}, raw=True)
        else:
            self._clear()
            print(text, file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._shown:
            print(f"\r{' ' * len(self._shown)}\r", end="", file=sys.stderr, flush=True)
            self._shown = ""


def _notebook() -> Any:
    """IPython's module of displays where this process is a notebook's kernel; None elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from importlib import import_module

    return import_module("IPython.display")
