"""Long lists in pages: AWS answers them in parts, each with a token for the next."""

from collections.abc import Sequence
from typing import TypeVar

from serinus.offline.core.errors import AwsError

T = TypeVar("T")


def page(
    items: Sequence[T], size: int, token: str | None, *, member: str, unknown: AwsError
) -> tuple[Sequence[T], dict[str, str]]:
    """The page of ``size`` items that ``token`` (none: the first) stands for, and the answer's ``member`` with the
    next one's token while there is more; raises ``unknown`` for a token that no page was given."""
    if token and not token.isdecimal():
        raise unknown
    begin = int(token or 0)
    end = begin + size
    return items[begin:end], ({member: str(end)} if end < len(items) else {})
