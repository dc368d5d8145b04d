"""Lists in pages, one list or several in turn."""

from collections.abc import Sequence
from typing import TypeVar

from serinus.offline.core import pages
from serinus.offline.core.errors import AwsError

T = TypeVar("T")


def page(
    items: Sequence[T], size: int, token: str | None, *, error: str = "InvalidNextToken"
) -> tuple[Sequence[T], dict[str, str]]:
    """The page that ``token`` (none: the first) stands for, and the answer's member with the next token."""
    unknown = AwsError(error, f"The token {token!r} was not given out by this operation.", status=400)
    return pages.page(items, size, token, member="NextToken", unknown=unknown)


def share(lists: Sequence[Sequence[T]], most: int, token: str | None) -> tuple[list[Sequence[T]], dict[str, str]]:
    """A page of at most ``most`` items of several lists, one list after the other, and the next token's member."""
    flat = [(place, item) for place, items in enumerate(lists) for item in items]
    shown, rest = page(flat, most, token)
    return [[item for owner, item in shown if owner == place] for place in range(len(lists))], rest
