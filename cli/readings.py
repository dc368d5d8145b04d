"""The options with which a command chooses what the offline cloud plays where AWS's behaviour is in doubt."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from serinus.cli.errors import WrongUsage
from serinus.offline.core.readings import InvalidReading, Readings

PAGE = "docs/offline.md lists them"

ReadingPairs = Annotated[
    list[str] | None,
    typer.Option(
        "--reading",
        metavar="NAME=VALUE",
        help=f"What the cloud does where AWS's behaviour is in doubt; can be repeated. {PAGE.capitalize()}.",
    ),
]
ReadingsFile = Annotated[
    Path | None,
    typer.Option(
        "--readings", metavar="FILE", help="JSON object of readings, name to value. --reading overrides."
    ),
]


def merge_readings(pairs: Sequence[str] | None, file: Path | None) -> dict[str, str]:
    """The values by name of ``file``, overridden by ``pairs``; `WrongUsage` names an unknown name or value."""
    try:
        return (Readings.file(file) if file else {}) | Readings.assignments(pairs or ())
    except InvalidReading as error:
        raise WrongUsage(f"{error}; {PAGE}.") from error
