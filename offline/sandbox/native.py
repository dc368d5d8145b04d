"""Finds native modules that this machine's interpreter cannot load, before a function imports them.

A layer built for Lambda's platform often cannot be loaded here: its processor, Python or operating system
differs. The import error of such a module is vague, so the sandbox names the file up front.
"""

import platform
import re
import sys
from pathlib import Path

EXTENSION = re.compile(r"\.(?P<tag>cpython-\d+[a-z]*|pypy\d+-[^.]+)[-\w]*\.so$")
SHARED_OBJECT = re.compile(r"\.so(\.\d+)*$")
ELF_MAGIC = b"\x7fELF"
#: e_machine of the ELF header, by `platform.machine()`.
ELF_MACHINES = {"x86_64": 0x3E, "amd64": 0x3E, "aarch64": 0xB7, "arm64": 0xB7}


def first_unloadable(root: Path, soabi: str) -> str | None:
    """The first file under ``root`` that cannot be loaded here, with the reason; None if all can.

    ``soabi`` is the interpreter's, such as "cpython-311-x86_64-linux-gnu".
    """
    for path in sorted(root.rglob("*.so*")):
        if path.is_file() and SHARED_OBJECT.search(path.name):
            reason = _why_unloadable(path, soabi)
            if reason is not None:
                return f"{path.relative_to(root)} ({reason})"
    return None


def _why_unloadable(path: Path, soabi: str) -> str | None:
    with path.open("rb") as file:
        header = file.read(20)
    if header[:4] == ELF_MAGIC:
        if sys.platform != "linux":
            return f"built for Linux; this machine runs {sys.platform}"
        machine = int.from_bytes(header[18:20], "little" if header[5] == 1 else "big")
        if machine != ELF_MACHINES.get(platform.machine().lower()):
            return f"built for another processor; this machine's is {platform.machine()}"
    tagged = EXTENSION.search(path.name)
    if tagged and not soabi.startswith(tagged["tag"] + "-"):
        return f"built for {tagged['tag']}; the interpreter here is {soabi}"
    return None
