"""Markers and page sizes of the List operations."""

from collections.abc import Sequence
from typing import Any, TypeVar

from serinus.offline.core import pages
from serinus.offline.core.errors import AwsError

Item = TypeVar("Item")


def page(items: Sequence[Item], params: dict[str, Any], most: int = 50) -> tuple[Sequence[Item], dict[str, str]]:
    """The page that ``Marker`` and ``MaxItems`` ask for, and the output's NextMarker, if there is more."""
    size, marker = min(int(params.get("MaxItems") or most), most), params.get("Marker")
    unknown = AwsError("InvalidParameterValueException", f"Invalid pagination token: {marker}")
    return pages.page(items, size, marker, member="NextMarker", unknown=unknown)
