"""Long lists in pages: AWS returns them in parts, each with a token for the next."""

import base64
import hmac
import secrets
from collections.abc import Sequence
from typing import TypeVar

from serinus.offline.core.errors import AwsError

T = TypeVar("T")

#: Tokens are signed, so that a token is invalid for another operation and after the process ends.
_KEY = secrets.token_bytes(32)
_POSITION_BYTES = 8


def page(
    items: Sequence[T], size: int, token: str | None, *, operation: str, member: str, unknown: AwsError
) -> tuple[Sequence[T], dict[str, str]]:
    """The page of ``size`` items at ``token`` (None: the first), and the response's ``member`` with the next
    page's token if there is one; raises ``unknown`` for a token that ``operation`` did not return."""
    begin = position_of(operation, token) if token else 0
    if begin is None:
        raise unknown
    end = begin + size
    return items[begin:end], ({member: token_for(operation, end)} if end < len(items) else {})


def token_for(operation: str, position: int) -> str:
    """The token of ``operation`` for the page at ``position``."""
    position_bytes = position.to_bytes(_POSITION_BYTES)
    signature = hmac.digest(_KEY, position_bytes + operation.encode(), "sha256")[:16]
    return base64.urlsafe_b64encode(position_bytes + signature).decode()


def position_of(operation: str, token: str) -> int | None:
    """The position that `token_for` put into ``token``; None if it did not, for this operation."""
    try:
        position_bytes = base64.b64decode(token, altchars=b"-_", validate=True)[:_POSITION_BYTES]
    except ValueError:
        return None
    position = int.from_bytes(position_bytes)
    return position if hmac.compare_digest(token_for(operation, position), token) else None
