"""Where the command speaks: results on stdout, progress and notices on stderr."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

# The CDK CLI forces colours on its build step; spinners in a log help nobody.
results = Console(highlight=False, soft_wrap=True, force_terminal=sys.stdout.isatty())
progress = Console(stderr=True, highlight=False, force_terminal=sys.stderr.isatty())


def notice(message: str) -> None:
    """One line about what is going on."""
    progress.print(message, markup=False, soft_wrap=True)


def fail(message: str) -> None:
    """The one line (or the several findings) with which a command ends."""
    progress.print("[bold red]error:[/] ", end="")
    progress.print(message, markup=False, soft_wrap=True)


def print_json(data: Any) -> None:
    """Data for a program: one JSON document on stdout."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show that ``title`` is under way: a spinner on a terminal, a line elsewhere."""
    if progress.is_terminal:
        with progress.status(title):
            yield
    else:
        notice(f"{title} …")
        yield


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table in the house style; columns that begin with ">" align right."""
    built = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        built.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return built


def megabytes(size_bytes: int) -> str:
    """ "27.5 MB": decimal megabytes below which kilobytes read better."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.1f} kB"
