"""The folder that --state names: only an offline cloud's own, which it closes to others and sweeps."""

from pathlib import Path

from serinus.cli.errors import WrongUsage

#: What a cloud writes there; it creates the lock first.
_LOCK = "lock"
_ENTRIES = {_LOCK, "manifest.json", "manifest.json.partial", "parts", "blobs", "archives"}


def require_state_folder(folder: Path) -> None:
    """`WrongUsage` unless ``folder`` is missing, empty or an offline cloud's state."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise WrongUsage(f"--state {folder} is a file. Name a folder.")
    names = {path.name for path in folder.iterdir()}
    foreign = sorted(names - _ENTRIES) or sorted(names if _LOCK not in names else ())
    if foreign:
        raise WrongUsage(
            f"--state {folder} holds {foreign[0]}, which is not an offline cloud's state. Name an empty folder, "
            "or one that a cloud has written."
        )
