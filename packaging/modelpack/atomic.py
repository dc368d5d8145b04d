"""Files and folders that appear whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serinus.modelpack.temporary_folder import TemporaryFolder


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """A new folder beside ``target``, renamed to it when the block succeeds, unless ``target`` exists by then:
    equal names hold equal content here, so the first one stays. Removed on any failure."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryFolder(within=target.parent) as temporary:
        draft = temporary / target.name
        draft.mkdir()
        yield draft
        try:
            draft.rename(target)
        except OSError:
            if not target.is_dir():
                raise


def write_file(target: Path, content: bytes) -> None:
    """Replace ``target`` by ``content`` in one step; permissions stay."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryFolder(within=target.parent) as temporary:
        draft = temporary / target.name
        draft.write_bytes(content)
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
