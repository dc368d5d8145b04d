"""Standard streams that the shell closed (`serinus … >&-`): what is said there goes nowhere, and ends no command.

Python has None for such a stream; and the next file that is opened takes its number, so that what another process
prints would be written into that file.
"""

import os
import sys
from pathlib import Path

_NAMES = ("stdin", "stdout", "stderr")


def open_closed_streams() -> None:
    """Give the null device to each standard stream that is closed."""
    for place, name in enumerate(_NAMES):
        _occupy(place)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for good


def _occupy(place: int) -> None:
    """Have number ``place``, below which none is free, be open and inherited."""
    try:
        os.fstat(place)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
