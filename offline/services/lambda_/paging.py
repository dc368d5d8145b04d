"""Markers and page sizes of the List operations."""

from collections.abc import Sequence
from typing import Any, TypeVar

from offline.errors import AwsError

Item = TypeVar("Item")


def page(items: Sequence[Item], params: dict[str, Any], most: int = 50) -> tuple[Sequence[Item], dict[str, str]]:
    """The page that ``Marker`` and ``MaxItems`` ask for, and the output's NextMarker, if there is more."""
    size = min(int(params.get("MaxItems") or most), most)
    marker = params.get("Marker") or "0"
    if not marker.isdecimal():
        raise AwsError("InvalidParameterValueException", f"Invalid pagination token: {marker}")
    start = int(marker)
    more = {"NextMarker": str(start + size)} if start + size < len(items) else {}
    return items[start : start + size], more
