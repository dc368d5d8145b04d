"""Finds a Python of an exact minor version: bytecode is read only by the version that made it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from serinus.modelpack.layers.uv import uv_command

_PRINT_VERSION = "import sys; print(sys.implementation.name, *sys.version_info[:2])"


@cache
def find_interpreter(version: str) -> Path | None:
    """A CPython of minor ``version`` ("3.13") on this machine, or None: this one, on PATH, of pyenv, of uv."""
    for candidate in _candidates(version):
        if _is_version(candidate, version):
            return candidate
    return None


def _candidates(version: str) -> Iterator[Path]:
    yield Path(sys.executable)
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    managed = subprocess.run(
        [*uv_command(), "python", "find", "--managed-python", "--no-python-downloads", version],
        capture_output=True,
        text=True,
        check=False,
    )
    if managed.returncode == 0:
        yield Path(managed.stdout.strip())


def _is_version(candidate: Path, version: str) -> bool:
    try:
        reported = subprocess.run(
            [candidate, "-I", "-c", _PRINT_VERSION], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return reported.stdout.split() == ["cpython", *version.split(".")]
