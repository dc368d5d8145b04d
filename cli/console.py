"""Output of the command line: results on stdout, progress and notices on stderr.

Text is never parsed as markup: column names, paths and errors come from users and AWS. Colours are set as styles.
"""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from serinus.cli.closed_streams import open_closed_streams
from serinus.cli.printable import printable


class PlainConsole(Console):
    """A console to which no text is markup, an emoji's code or a sequence that steers the terminal."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        return super().render_str(printable(text), **settings)


# Before any output: every command imports this module.
open_closed_streams()
# The CDK CLI forces colours on its build step; spinners in a log help nobody.
results = PlainConsole(soft_wrap=True, force_terminal=sys.stdout.isatty())
progress = PlainConsole(stderr=True, force_terminal=sys.stderr.isatty())


def can_animate() -> bool:
    """Whether stderr is a terminal whose lines can be replaced: one of unknown size, such as a recording's,
    keeps each of them."""
    if not progress.is_terminal:
        return False
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError):  # not a device, or closed
        return False


def show_all_text() -> None:
    """Print the code of a character that the output's encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def notice(message: str) -> None:
    """Print one line on stderr."""
    progress.print(message, soft_wrap=True)


def fail(message: str) -> None:
    """Print the error with which a command ends."""
    progress.print("error: ", style="bold red", end="")
    progress.print(message, soft_wrap=True)


def print_json(data: Any) -> None:
    """Print one JSON document on stdout."""
    whole = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=not whole) + "\n")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show that ``title`` is under way: a spinner where lines can be replaced, a line elsewhere."""
    if can_animate():
        with progress.status(Text(printable(title))):
            yield
    else:
        notice(f"{title} …")
        yield


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table in the house style; columns that begin with ">" align right."""
    built = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        justify: JustifyMethod = "right" if column.startswith(">") else "left"
        built.add_column(column.removeprefix(">"), justify=justify, overflow="fold")
    return built


def megabytes(size_bytes: int) -> str:
    """ "27.5 MB": decimal megabytes below which kilobytes read better."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.1f} kB"
