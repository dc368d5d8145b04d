"""Tables on narrow terminals."""

import io

from serinus.cli.console import PlainConsole, table

INTERPRETER = "/home/someone/project/.venv/bin/python"


def test_a_narrow_terminal_cuts_neither_headers_nor_cells() -> None:
    shown = table("requirement", "interpreter")
    shown.add_row("Python", INTERPRETER)
    printed = io.StringIO()
    PlainConsole(file=printed, width=20).print(shown)

    lines = printed.getvalue().splitlines()
    halves = ["".join(line[part].strip() for line in lines) for part in (slice(0, 9), slice(9, None))]
    assert "…" not in printed.getvalue()
    assert halves == ["requirementPython", f"interpreter{INTERPRETER}"]
