"""The files of a state folder by name, so that a cloud takes over no other folder and removes no other file."""

import contextlib
import os
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from serinus.offline.core.errors import OfflineError

LOCK = "lock"
MANIFEST = "manifest.json"
PARTIAL = ".partial"
PART = re.compile(rf"[\w-]+-[0-9a-f]{{32}}({PARTIAL})?", re.ASCII)
BLOB = re.compile(rf"[0-9a-f]{{64}}({PARTIAL})?")
ARCHIVE = re.compile(rf"[0-9a-f]{{64}}(\.zip|\.[0-9]+{PARTIAL})")
FILES = (LOCK, MANIFEST, f"{MANIFEST}{PARTIAL}")
FOLDERS = {"parts": PART, "blobs": BLOB, "archives": ARCHIVE}
#: The next step after a damaged folder. Not "remove it": it may hold more than a state.
ANOTHER = "Name an empty folder with --state, or move this one away"
MOST_NAMES = 3


def unused(folder: Path, shape: re.Pattern[str], used: Collection[str]) -> Iterator[Path]:
    """The files in ``folder`` that have a name of this shape and are not among those ``used``."""
    for path in folder.iterdir():
        if shape.fullmatch(path.name) and path.name not in used:
            yield path


def unusable(root: Path, reason: str | None) -> OfflineError:
    return OfflineError(f"{root} cannot be a state folder ({reason}); name another with --state")


def require_state_folder(root: Path) -> None:
    """Raise `OfflineError` unless ``root`` is missing, empty or a cloud's state folder; changes nothing."""
    try:
        if not _is_folder(root):
            return
        with os.scandir(root) as listed:
            entries = {entry.name: entry for entry in listed}
        if MANIFEST not in entries:
            _require_no_others(root, entries)
        for name in FILES:
            entry = entries.get(name)
            if entry and not entry.is_file(follow_symlinks=False) and os.path.lexists(entry):
                raise OfflineError(f"{root / name} is not a file, as it is in a state folder. {ANOTHER}.")
        for name in FOLDERS.keys() & entries.keys():
            _require_files(entries[name])
    except OSError as error:
        raise unusable(root, error.strerror) from error


def _is_folder(root: Path) -> bool:
    """Whether ``root`` exists; `OfflineError` where it is not a folder that this user may hand to a cloud."""
    try:
        status = root.stat()
    except FileNotFoundError as error:
        if root.is_symlink():
            reason = f"it is a symbolic link to {root.readlink()}, which does not exist"
            raise unusable(root, reason) from error
        return False
    if not stat.S_ISDIR(status.st_mode):
        raise unusable(root, "it is not a folder")
    for folder in ("/", "~"):
        with contextlib.suppress(OSError, RuntimeError):
            if os.path.samestat(status, Path(folder).expanduser().stat()):
                raise unusable(root, "it is your home folder" if folder == "~" else "it is the root folder")
    if status.st_uid != os.getuid():
        raise OfflineError(
            f"the state folder {root} belongs to another user (id {status.st_uid}), who could have code run here "
            "by it. Name a folder of your own with --state."
        )
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise unusable(root, "it is read-only or closed to you")
    return True


def _require_no_others(root: Path, entries: dict[str, "os.DirEntry[str]"]) -> None:
    """`OfflineError` unless all that is there may be of a cloud that was killed before its first manifest."""
    others = sorted(entries.keys() - {*FILES, *FOLDERS})
    lock = entries.get(LOCK)
    if lock is not None and (not lock.is_file(follow_symlinks=False) or lock.stat().st_size):
        others.append(LOCK)
    for name in sorted(FOLDERS.keys() & entries.keys()):
        if not entries[name].is_dir(follow_symlinks=False):
            others.append(name)
        else:
            files = sorted(path.name for path in Path(entries[name]).iterdir())
            others += [f"{name}/{file}" for file in files if lock is None or not FOLDERS[name].fullmatch(file)]
    if others:
        shown = ", ".join([*others[:MOST_NAMES], *(["..."] if others[MOST_NAMES:] else [])])
        raise OfflineError(
            f"{root} is neither empty nor a state folder (it holds {shown}). Name an empty folder, or one that "
            "does not exist yet, with --state."
        )


def _require_files(folder: "os.DirEntry[str]") -> None:
    """`OfflineError` unless this is a folder, no link to one, that holds files."""
    if not folder.is_dir(follow_symlinks=False):
        raise OfflineError(f"{folder.path} is not a folder, as it is in a state folder. {ANOTHER}.")
    if not os.access(folder.path, os.R_OK | os.W_OK | os.X_OK):
        raise OfflineError(
            f"{folder.path} is read-only or closed to you. Change its mode, or name another folder with --state."
        )
    with os.scandir(folder.path) as listed:
        entries = list(listed)
    for entry in entries:
        # A cloud that runs on this folder may just have removed it.
        if not entry.is_file(follow_symlinks=False) and os.path.lexists(entry):
            raise OfflineError(
                f"{entry.path} is not a file, and a state folder holds only files there. Move it away, or name an "
                "empty folder with --state."
            )
