"""The user's project: the folder that holds serinus.toml."""

from pathlib import Path

from serinus.cli.errors import CliError
from serinus.infra.names import SETTINGS


def find_project(start: Path | None = None) -> Path:
    """The nearest folder, from ``start`` (default: the working directory) upwards, that holds a serinus.toml."""
    first = (start or Path.cwd()).resolve()
    for folder in (first, *first.parents):
        if (folder / SETTINGS).is_file():
            return folder
    raise CliError(f"no {SETTINGS} in {first} or in a folder above it. `serinus init` writes one.")
