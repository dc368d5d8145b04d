"""Caches built layers for other projects, by the hash of everything that decides their bytes.

Several builds may run at once, and any may be killed: an entry appears by one rename, under a lock whose next
holder deletes a killed build's leftovers.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from serinus.modelpack.atomic import folder_beside
from serinus.modelpack.layers.zips import hash_zip

ENV_CACHE_DIR = "SERINUS_CACHE_DIR"
_LAYER = "layer.zip"
_HASH = "layer.sha256"


def cache_folder() -> Path:
    """SERINUS_CACHE_DIR, or `serinus` in the user's cache folder (XDG_CACHE_HOME, else ~/.cache)."""
    if configured := os.environ.get(ENV_CACHE_DIR):
        return Path(configured).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "serinus"


def key_of(*parts: str | bytes) -> str:
    """SHA-256 over the parts, each with its length."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def cached_layer(key: str, make: Callable[[Path], None]) -> Path:
    """The zip kept under ``key``, made by ``make(path)`` where there is none."""
    folder = cache_folder() / "layers" / key[:32]
    zip_path = folder / _LAYER
    if _is_intact(folder):
        return zip_path
    guard = cache_folder() / "layers" / f"{key[:32]}.guard"
    guard.parent.mkdir(parents=True, exist_ok=True)
    with guard.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not _is_intact(folder):
            for left in (folder, *folder.parent.glob(f".{folder.name}.*")):
                shutil.rmtree(left, ignore_errors=True)
            with folder_beside(folder) as draft:
                make(draft / _LAYER)
                (draft / _HASH).write_text(hash_zip(draft / _LAYER), encoding="ascii")
    return zip_path


def _is_intact(folder: Path) -> bool:
    """Whether the entry exists and has its original content: a full disk or a bad block is noticed."""
    try:
        return (folder / _HASH).read_text(encoding="ascii") == hash_zip(folder / _LAYER)
    except (OSError, UnicodeDecodeError):
        return False
