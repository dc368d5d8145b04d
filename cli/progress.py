"""Progress of long work on stderr: a bar where lines can be replaced, and lines elsewhere."""

from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

from serinus.cli.console import can_animate, notice, progress


class TransientBar:
    """One task in ``columns``, which vanishes at its end and is not drawn where lines cannot be replaced."""

    def __init__(self, *columns: ProgressColumn, total: int | None = None, console: Console = progress) -> None:
        self.is_animated = can_animate()
        self._bar = Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task("", total=total)

    def start(self) -> None:
        """Draw it; its elapsed time begins anew."""
        self._bar.reset(self._task, total=self._bar.tasks[0].total)
        if self.is_animated:
            self._bar.start()

    def stop(self) -> None:
        """Remove it."""
        if self.is_animated:
            self._bar.stop()

    def update(self, **changes: Any) -> None:
        """Change the task's ``description`` or how many steps are ``completed``."""
        self._bar.update(self._task, **changes)


def spinner(console: Console = progress) -> TransientBar:
    """A bar for work of unknown length: a spinner, what is under way, and the time so far."""
    return TransientBar(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn(), console=console
    )


class StageProgress:
    """Shows the stage under way with a spinner on a terminal, and one line a stage elsewhere."""

    def __init__(self) -> None:
        self._bar = spinner()

    def __enter__(self) -> "StageProgress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stage(self, title: str) -> None:
        """Show that a new stage started."""
        if self._bar.is_animated:
            self._bar.update(description=title)
        else:
            notice(f"{title} …")

    def notice(self, message: str) -> None:
        """Print a line that stays on the screen."""
        notice(message)
