"""Finds where a merged setting comes from: the last of the tables that set it, in the order of `settings.load`."""

from collections.abc import Mapping

from serinus.infra.settings.issues import dotted
from serinus.infra.settings.positions import KeyPath


def find_origin(
    positions: Mapping[KeyPath, int], environment: str, endpoint: str, key: tuple[str, ...]
) -> tuple[int | None, str]:
    """Line and dotted name of the setting ``key`` of ``endpoint``; if it is not in the file, those of the
    endpoint's table, with the name under which it could be set there."""
    tables: list[KeyPath] = [
        ("env", environment, "endpoint", endpoint),
        ("env", environment, "defaults"),
        ("endpoint", endpoint),
        ("defaults",),
    ]
    for table in tables:
        if (line := positions.get((*table, *key))) is not None:
            return line, dotted((*table, *key))
    return positions.get(("endpoint", endpoint)), dotted(("endpoint", endpoint, *key))
