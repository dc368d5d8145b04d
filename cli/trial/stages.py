"""Shows the stages of a trial on stderr: the one under way, and the seconds that each took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from serinus.cli.console import PlainConsole
from serinus.cli.console import progress as shared_console
from serinus.cli.progress import spinner


class TrialStages:
    """Real ``seconds`` of each stage so far. One line a stage; what the commands behind it print is left out."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._title = ""
        # Its own console: the other one is silent meanwhile.
        self._screen = PlainConsole(stderr=True, force_terminal=sys.stderr.isatty(), soft_wrap=True)
        self._bar = spinner(self._screen)

    @contextmanager
    def running(self, title: str) -> Iterator[None]:
        """Show that ``title`` is under way, and at the end how long it took, or that it failed."""
        began, self._title = time.monotonic(), title
        self._bar.update(description=title)
        self._bar.start()
        shared_console.quiet = True
        try:
            yield
        except BaseException:
            self._end("failed", "red", began)
            raise
        self._end("done  ", "green", began)

    def _end(self, outcome: str, style: str, began: float) -> None:
        self._bar.stop()
        shared_console.quiet = False
        self.seconds[self._title] = time.monotonic() - began
        self._screen.print(outcome, style=style, end="")
        self._screen.print(f" {self.seconds[self._title]:6.1f} s  {self._title}")

    def stage(self, title: str) -> None:
        """Show, on a terminal, a part of the stage that is under way."""
        self._bar.update(description=f"{self._title}: {title}")

    def notice(self, message: str) -> None:
        """Show a notice of `serinus package` as a part of the stage: all of them would crowd out the result."""
        self.stage(message)
