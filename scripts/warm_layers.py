"""Resolves the runtime layers that tests deploy into the user's cache, so that no test reaches a package index."""

import sys
import tempfile
from pathlib import Path

from modelpack.layers import build

TARGETS = [("python3.13", "x86_64"), ("python3.13", "arm64")]


class OneLine:
    """Says on stderr what takes long."""

    def stage(self, name: str) -> None:
        """Stages are too small to tell of."""

    def notice(self, message: str) -> None:
        sys.stderr.write(f"{message}\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), TARGETS, [], OneLine())
