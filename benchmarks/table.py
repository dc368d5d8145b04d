"""How every benchmark speaks: rows of data, printed as a table or, with --json, as they are."""

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Row = dict[str, Any]


def main(
    name: str,
    measure: Callable[..., Sequence[Row]],
    *,
    note: str = "",
    arguments: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    """The command line of benchmark ``name``: measure, then print the rows. With ``arguments``, which adds options
    of the benchmark's own, ``measure`` gets what was chosen."""
    parser = argparse.ArgumentParser(prog=f"scripts/bench {name}", description=note)
    parser.add_argument("--json", action="store_true", help="print the rows as data")
    if arguments is not None:
        arguments(parser)
    chosen = parser.parse_args()
    rows = measure(chosen) if arguments is not None else measure()
    if chosen.json:
        sys.stdout.write(json.dumps(list(rows), indent=2) + "\n")
    else:
        show(name, rows, note)


def show(title: str, rows: Sequence[Row], note: str = "") -> None:
    """One table, or one a section."""
    # A file has no width of its own, and cells that were cut would be of no use there.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    for section, part in by_section(rows).items():
        console.print(_table(f"{title}: {section}" if section else title, part))
    console.print(f"{note}\n{machine()}".strip(), markup=False)


def by_section(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows without their ``section``, by it; rows without one are in the section of the empty name."""
    sections: dict[str, list[Row]] = {}
    for row in rows:
        part = sections.setdefault(row.get("section", ""), [])
        part.append({key: value for key, value in row.items() if key != "section"})
    return sections


def _table(title: str, rows: Sequence[Row]) -> Table:
    """Columns are the rows' keys, numbers align right."""
    table = Table(title=title, title_justify="left", box=None)
    columns = dict.fromkeys(key for row in rows for key in row)
    columns = [key for key in columns if any(row.get(key) not in (None, "") for row in rows)]
    for column in columns:
        numeric = any(isinstance(row.get(column), int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    return table


def machine() -> str:
    """Where it was measured, in words that a reader elsewhere can compare with."""
    cores = os.cpu_count()
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {cores} cores"


def median(values: Sequence[float]) -> float:
    """The median, the figure to quote on a noisy machine."""
    return statistics.median(values)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
