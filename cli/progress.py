"""Progress of long work, stage by stage, on stderr."""

from types import TracebackType

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from serinus.cli.console import notice, progress


class StageProgress:
    """Shows the stage under way with a spinner on a terminal, and one line a stage elsewhere."""

    def __init__(self) -> None:
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=progress,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> "StageProgress":
        if progress.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def stage(self, title: str) -> None:
        """Show that a new stage started."""
        if progress.is_terminal:
            self._bar.update(self._task, description=title)
        else:
            notice(f"{title} …")

    def notice(self, message: str) -> None:
        """Print a line that stays on the screen."""
        notice(message)
