"""The JSON-patch operations that turn one API Gateway document into another."""

from collections.abc import Iterator
from typing import Any

from serinus.offline.services.cloudformation.intrinsics import as_text

Patch = dict[str, str]


def patches(old: Any, new: Any, path: str = "") -> list[Patch]:
    """The operations that turn ``old`` into ``new``; both in the API's own spelling."""
    return list(_patches(old, new, path))


def _patches(old: Any, new: Any, path: str) -> Iterator[Patch]:
    if isinstance(new, dict) or (new is None and isinstance(old, dict)):
        for key in sorted(set(old or {}) | set(new or {})):
            yield from _patches((old or {}).get(key), (new or {}).get(key), f"{path}/{escape(key)}")
    elif isinstance(new, list) or (new is None and isinstance(old, list)):
        before, after = list(old or ()), list(new or ())
        for value in [value for value in before if value not in after]:
            yield {"op": "remove", "path": f"{path}/{escape(as_text(value))}"}
        for value in [value for value in after if value not in before]:
            yield {"op": "add", "path": f"{path}/{escape(as_text(value))}"}
    elif new is None and old is not None:
        yield {"op": "remove", "path": path}
    elif old != new:
        yield {"op": "replace", "path": path, "value": as_text(new)}


def escape(segment: str) -> str:
    return segment.replace("~", "~0").replace("/", "~1")
