"""Pages of one list, or of several in turn."""

from collections.abc import Sequence
from typing import TypeVar

from serinus.offline.core import pages
from serinus.offline.core.errors import AwsError
from serinus.offline.core.service import Call

T = TypeVar("T")


def page(
    items: Sequence[T], size: int, call: Call, *, error: str = "InvalidNextToken"
) -> tuple[Sequence[T], dict[str, str]]:
    """The page of ``NextToken`` (None: the first), and the response's member with the next token."""
    token = call.params.get("NextToken")
    unknown = AwsError(error, f"The token {token!r} was not returned by this operation.", status=400)
    return pages.page(items, size, token, operation=call.operation, member="NextToken", unknown=unknown)


def share(lists: Sequence[Sequence[T]], most: int, call: Call) -> tuple[list[Sequence[T]], dict[str, str]]:
    """A page of at most ``most`` items of several lists, one list after the other, and the next token's member."""
    flat = [(index, item) for index, items in enumerate(lists) for item in items]
    shown, rest = page(flat, most, call)
    return [[item for owner, item in shown if owner == index] for index in range(len(lists))], rest
