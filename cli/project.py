"""The user's project: the folder that holds serinus.toml."""

from pathlib import Path

from serinus.cli.errors import CliError

SETTINGS = "serinus.toml"


def find_project(start: Path | None = None) -> Path:
    """The nearest folder, from ``start`` (default: here) upwards, with a serinus.toml in it."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / SETTINGS).is_file():
            return folder
    raise CliError(f"no {SETTINGS} in {here} or above it. `serinus init` writes one.")
