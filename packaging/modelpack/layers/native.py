"""Checks native code that this machine may be unable to run: whether it is the target's, and complete.

A layer for this machine's processor is imported and predicts (`smoke`). For another processor, no more can be
checked here; the pre-traffic check of its first release shows whether it works there.
"""

import re
import struct
import zipfile
from pathlib import Path

from serinus.modelpack.errors import LayerError

#: e_machine of an ELF header (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html).
_MACHINES = {"x86_64": 62, "aarch64": 183}
_NAMES = {number: name for name, number in _MACHINES.items()}
_MODULE = re.compile(r"(?P<module>.+?)(\.cpython-\d+\w*(-[\w-]+)?|\.abi3)?\.so$")


def check_machine(folder: Path, machine: str) -> None:
    """Raise `LayerError` where an ELF file below ``folder`` is not for ``machine`` ("x86_64", "aarch64")."""
    for path in sorted(folder.rglob("*")):
        built_for = _machine(path) if path.is_file() else None
        if built_for not in (None, _MACHINES[machine]):
            raise LayerError(
                f"{path.relative_to(folder)} in the layer for {machine} is for "
                f"{_NAMES.get(built_for, built_for)}: its wheel is mislabelled. Pin another version of that "
                "package in packaging/layers/inference.in."
            )


def check_complete(layer: Path, twin: Path) -> None:
    """Raise `LayerError` where zip ``layer`` lacks a native module that ``twin``, which works, has."""
    if missing := sorted(_modules(twin) - _modules(layer)):
        raise LayerError(
            f"{layer.name} lacks native modules that {twin.name} has: {', '.join(missing[:5])}. "
            "A wheel of the lock is incomplete for that platform; pin another version of its package."
        )


def _machine(path: Path) -> int | None:
    with path.open("rb") as file:
        header = file.read(20)
    if len(header) < 20 or not header.startswith(b"\x7fELF"):
        return None
    little_endian = header[5] == 1
    return int(struct.unpack("<H" if little_endian else ">H", header[18:20])[0])


def _modules(layer: Path) -> set[str]:
    """Extension modules, without version and platform in their file names. Libraries bundled in wheels
    (numpy.libs) are named by hash and differ by platform."""
    with zipfile.ZipFile(layer) as archive:
        names = [name for name in archive.namelist() if ".libs/" not in name]
    return {match["module"] for name in names if (match := _MODULE.fullmatch(name))}
