"""How many rows were predicted, on stderr: a bar on a terminal, a line at each tenth elsewhere."""

from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

from serinus.cli.console import notice
from serinus.cli.progress import TransientBar


class RowProgress:
    """Shows the share of ``count`` rows that `show` was called with."""

    def __init__(self, count: int) -> None:
        self._count, self._tenths = count, 0
        self._bar = TransientBar(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), total=count)

    def __enter__(self) -> "RowProgress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, done: int) -> None:
        """Show that ``done`` rows are predicted."""
        self._bar.update(completed=done)
        tenths = done * 10 // self._count
        if not self._bar.is_animated and self._tenths < tenths < 10:
            notice(f"{done:,} of {self._count:,} rows")
        self._tenths = tenths
