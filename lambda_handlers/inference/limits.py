"""Limits of one request, set by the environment."""

from collections.abc import Mapping
from typing import NamedTuple

from serinus.lambda_handlers.contract.signals import (
    ENV_EXPLAIN_MAX_MS,
    ENV_EXPLAIN_MAX_ROWS,
    ENV_MAX_BODY_BYTES,
    ENV_MAX_ROWS,
)
from serinus.lambda_handlers.inference.errors import BadSetting

#: Lambda's limit of a synchronous request and of its response
#: (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
LAMBDA_PAYLOAD_BYTES = 6 * 1024 * 1024
#: Left for the response's headers.
_HEADERS_BYTES = 64 * 1024
#: Base64, in which bodies that are not text travel, makes four bytes of three; a JSON string adds less.
LARGEST_RESPONSE_BYTES = (LAMBDA_PAYLOAD_BYTES - _HEADERS_BYTES) * 3 // 4
#: Errors that one problem document lists.
LISTED_ERRORS = 20


class Limits(NamedTuple):
    """Most rows, and most body bytes (decoded), of one request."""

    max_rows: int = 1000
    max_body_bytes: int = 4_000_000

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Limits":
        """The limits that ``environ`` sets; raises `BadSetting` for one that is not a positive integer."""
        return cls(
            max_rows=_positive(environ, ENV_MAX_ROWS, cls().max_rows),
            max_body_bytes=_positive(environ, ENV_MAX_BODY_BYTES, cls().max_body_bytes),
        )


class ExplainLimits(NamedTuple):
    """Most rows of one explanation, and the milliseconds after which it is refused."""

    max_rows: int
    max_ms: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "ExplainLimits | None":
        """None where explanations are off; raises `BadSetting` for a limit that is not a positive integer."""
        if not environ.get(ENV_EXPLAIN_MAX_ROWS):
            return None
        return cls(
            max_rows=_positive(environ, ENV_EXPLAIN_MAX_ROWS, 10),
            max_ms=_positive(environ, ENV_EXPLAIN_MAX_MS, 5000),
        )


def _positive(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise BadSetting(f"{name} is {text!r}; it must be a positive integer, or unset for {default}.")
    return int(text)
