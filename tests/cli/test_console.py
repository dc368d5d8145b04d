"""Tables on narrow terminals, and progress on any."""

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress

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


SPINNING = """
import time
from serinus.cli.console import step
from serinus.cli.progress import StageProgress
from serinus.cli.trial.stages import TrialStages
with StageProgress() as progress:
    progress.stage("converting")
    time.sleep(0.5)
with TrialStages().running("trying"):
    time.sleep(0.5)
with step("deploying"):
    time.sleep(0.5)
"""


def printed_on_a_terminal(columns: int) -> str:
    """What three kinds of progress print on a terminal of this width; 0 is an unknown one."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24 if columns else 0, columns, 0, 0))
    process = subprocess.Popen([sys.executable, "-c", SPINNING], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    printed = b""
    with suppress(OSError):  # the other side was closed
        while part := os.read(ours, 1 << 16):
            printed += part
    os.close(ours)
    assert process.wait() == 0, printed
    return printed.decode()


def test_a_terminal_of_unknown_size_shows_each_stage_once() -> None:
    printed = printed_on_a_terminal(0)
    assert [printed.count(title) for title in ("converting", "trying", "deploying")] == [1, 1, 1]


def test_a_terminal_of_known_size_shows_a_spinner() -> None:
    printed = printed_on_a_terminal(80)
    assert all(printed.count(title) > 1 for title in ("converting", "trying", "deploying"))
