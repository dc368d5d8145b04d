"""Unpacks each zip once, by its hash, for every worker that needs it."""

import hashlib
import os
import stat
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from serinus.offline.core.errors import OfflineError
from serinus.offline.sandbox.native import first_unloadable
from serinus.offline.sandbox.reaper import remove_tree
from serinus.offline.sandbox.spec import Archive
from serinus.offline.sandbox.twins import Twins


class Unloadable(OfflineError):
    """An archive holds a native module that this machine cannot load, and has no twin."""


@dataclass(frozen=True, slots=True)
class UnpackedArchive:
    """An unpacked archive, with a ``note`` for the function's log."""

    path: Path
    key: str
    note: str | None = None


class Unpacker:
    """Unpacks below ``root``; safe to call from several threads at once."""

    def __init__(self, root: Path, twins: Twins) -> None:
        self.root = root
        self.twins = twins
        self._loadable: set[tuple[str, str]] = set()

    def tree(self, archive: Archive, soabi: str) -> UnpackedArchive:
        """The unpacked archive, or its twin; raises `Unloadable` naming archive, file and next step."""
        twin = self.twins.of(archive.sha256)
        if twin is not None:
            key = _sha256_of(twin)
            note = f"{archive.name} runs as its twin {twin.name} (sha256 {key[:12]}), built for this machine"
            return UnpackedArchive(self._unpacked(twin, key), key, note)
        path = self._unpacked(archive.path, archive.sha256)
        self._require_loadable(archive, path, soabi)
        return UnpackedArchive(path, archive.sha256)

    def merged(self, trees: list[UnpackedArchive]) -> Path:
        """One directory with all layers laid over one another in order, as ``/opt`` is on AWS."""
        if len(trees) == 1:
            return trees[0].path
        key = hashlib.sha256("\n".join(tree.key for tree in trees).encode()).hexdigest()
        target = self.root / "opt" / key
        if not target.exists():
            _publish(target, lambda staging: _overlay_all(trees, staging))
        return target

    def _unpacked(self, zip_path: Path, key: str) -> Path:
        target = self.root / "unpacked" / key
        if not target.exists():
            _publish(target, lambda staging: _extract(zip_path, staging))
        return target

    def _require_loadable(self, archive: Archive, path: Path, soabi: str) -> None:
        if (archive.sha256, soabi) in self._loadable:
            return
        unloadable = first_unloadable(path, soabi)
        if unloadable is not None:
            raise Unloadable(
                f"{archive.name} holds native code that this machine cannot load: {unloadable}. Register a twin "
                f"built for this machine: PUT /_offline/layer-twins/{archive.sha256} with "
                '{"path": "/absolute/path/of/twin.zip"}.'
            )
        self._loadable.add((archive.sha256, soabi))


def _publish(target: Path, fill: Callable[[Path], object]) -> None:
    """Fill a staging directory and rename it into place, so that an incomplete tree is never visible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=target.parent))
    fill(staging)
    _make_read_only(staging)
    try:
        staging.rename(target)
    except OSError:
        remove_tree(staging)
        if not target.exists():
            raise


def _extract(zip_path: Path, into: Path) -> None:
    with zipfile.ZipFile(zip_path) as archive:
        for entry in archive.infolist():
            written = Path(archive.extract(entry, into))
            mode = entry.external_attr >> 16
            if stat.S_ISLNK(mode):
                link_to = written.read_text()
                written.unlink()
                written.symlink_to(link_to)
            elif mode & 0o111 and not entry.is_dir():
                written.chmod(0o755)


def _overlay_all(trees: list[UnpackedArchive], into: Path) -> None:
    for tree in trees:
        _overlay(tree.path, into)


def _overlay(source: Path, into: Path) -> None:
    for directory, _, names in os.walk(source):
        here = into / Path(directory).relative_to(source)
        here.mkdir(exist_ok=True)
        for name in names:
            target = here / name
            target.unlink(missing_ok=True)
            os.link(Path(directory) / name, target, follow_symlinks=False)


def _make_read_only(root: Path) -> None:
    for directory, _, names in os.walk(root, topdown=False):
        for name in names:
            path = Path(directory) / name
            if not path.is_symlink():
                path.chmod(0o555 if path.stat().st_mode & 0o111 else 0o444)
        if Path(directory) != root:
            Path(directory).chmod(0o555)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
