"""Layer zips: writes equal content as equal bytes, and reports the sizes of the packages inside."""

import hashlib
import re
import zipfile
from pathlib import Path

#: The earliest time that a zip can hold.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_EXECUTABLE, _PLAIN = 0o755, 0o644


def write_zip(target: Path, files: dict[str, Path]) -> None:
    """Zip ``files`` (name in the zip -> file) sorted, with fixed times and permissions."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            mode = _EXECUTABLE if re.search(r"\.so(\.|$)|\.dylib$", name) else _PLAIN
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, files[name].read_bytes())


def hash_zip(path: Path) -> str:
    """SHA-256 of the file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_intact(path: Path) -> bool:
    """Whether the zip exists and is complete."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def unzipped_bytes(path: Path) -> int:
    """Bytes that the zip's files take once unpacked."""
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def sizes(path: Path) -> list[tuple[str, int]]:
    """Unpacked bytes of a layer zip by package, the largest first."""
    by_package: dict[str, int] = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = _package(entry.filename)
            by_package[name] = by_package.get(name, 0) + entry.file_size
    return sorted(by_package.items(), key=lambda item: (-item[1], item[0]))


def _package(name: str) -> str:
    """numpy.libs/x.so and numpy-2.4.6.dist-info/METADATA count for numpy."""
    parts = name.removeprefix("python/").split("/")
    top = parts[1] if parts[0] == "__pycache__" and len(parts) > 1 else parts[0]
    return re.sub(r"(-[^-]+\.dist-info|\.libs|(\.cpython-\d+)?\.pyc?)$", "", top)
