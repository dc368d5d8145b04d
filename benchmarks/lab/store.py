"""What is expensive to make for a benchmark, kept in the user's cache by what it was made of."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from serinus.modelpack.layers.cache import cache_folder, key_of


def stored(name: str, parts: Sequence[str | bytes], make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` filled for ``parts``, made now where it is not there."""
    folder = cache_folder() / "benchmarks" / f"{name}-{key_of(*parts)[:12]}"
    if not folder.is_dir():
        draft = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        make(draft)
        os.sync()
        draft.rename(folder)
    return folder
