"""Lists in pages: AWS answers long lists in parts, each with a token for the next."""

from collections.abc import Sequence
from typing import TypeVar

from offline.errors import AwsError

T = TypeVar("T")


def page(
    items: Sequence[T], size: int, token: str | None, *, name: str = "NextToken", error: str = "InvalidNextToken"
) -> tuple[Sequence[T], dict[str, str]]:
    """The page that ``token`` (none: the first) stands for, and the answer's member with the next token."""
    if token is not None and not token.isdecimal():
        raise AwsError(error, f"The token {token!r} was not given out by this operation.", status=400)
    begin = int(token or 0)
    end = begin + size
    return items[begin:end], ({name: str(end)} if end < len(items) else {})


def share(lists: Sequence[Sequence[T]], most: int, token: str | None) -> tuple[list[Sequence[T]], dict[str, str]]:
    """A page of at most ``most`` items of several lists, one list after the other, and the next token's member."""
    flat = [(place, item) for place, items in enumerate(lists) for item in items]
    shown, rest = page(flat, most, token)
    return [[item for owner, item in shown if owner == place] for place in range(len(lists))], rest
