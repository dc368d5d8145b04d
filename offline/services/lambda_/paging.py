"""Markers and page sizes of the List operations."""

from collections.abc import Sequence
from typing import TypeVar

from serinus.offline.core import pages
from serinus.offline.core.errors import AwsError
from serinus.offline.core.service import Call

Item = TypeVar("Item")


def page(items: Sequence[Item], call: Call, most: int = 50) -> tuple[Sequence[Item], dict[str, str]]:
    """The page for ``Marker`` and ``MaxItems``, and the output's NextMarker, if any."""
    params = call.params
    size, marker = min(int(params.get("MaxItems") or most), most), params.get("Marker")
    unknown = AwsError("InvalidParameterValueException", f"Invalid pagination token: {marker}")
    return pages.page(items, size, marker, operation=call.operation, member="NextMarker", unknown=unknown)
