"""Standard streams that the shell closed (`serinus … >&-`): output to them is dropped, without an error.

Python has None for such a stream; and the next file that is opened takes its number, so that what another process
prints would be written into that file.
"""

import os
import sys
from pathlib import Path

_NAMES = ("stdin", "stdout", "stderr")


def open_closed_streams() -> None:
    """Open the null device for each standard stream that is closed."""
    for descriptor, name in enumerate(_NAMES):
        _ensure_open(descriptor)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for good


def _ensure_open(descriptor: int) -> None:
    """Make file descriptor ``descriptor``, the lowest free one if it is free, open and inherited."""
    try:
        os.fstat(descriptor)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
