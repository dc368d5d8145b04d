"""Content codings: compressed bodies in, compressed answers out.

Beneath both ways in, so that neither knows of it. Decompression stops at the limit of bodies: a few bytes
that would unfold into gigabytes cost no more than the largest honest body.
"""

import zlib

from serinus.lambda_handlers.inference import problems
from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.negotiation import weights
from serinus.lambda_handlers.inference.scoring import Answer

#: zlib's window for each coding that bodies may have.
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_GZIP = 31
#: What stands for bytes that are no UTF-8, in text.
_REPLACEMENT = "\ufffd".encode()
_LOOKED_AT_BYTES = 64
#: Digits of numbers hardly shrink further at higher levels, which take several times as long.
_LEVEL = 3


def decode_body(body: bytes, coding: str, limit_bytes: int) -> bytes:
    """``body`` without its Content-Encoding; raises `Refused` with status 400 (damaged), 413 (more than
    ``limit_bytes`` once unfolded) or 415 (another coding)."""
    name = coding.strip().lower()
    if name == "identity" or not body:
        return body
    if name not in _WINDOW_BITS:
        raise Refused(problems.unsupported_content_encoding(coding))
    stream = zlib.decompressobj(_WINDOW_BITS[name])
    try:
        unfolded = stream.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise Refused(problems.malformed_body(f"The body is not valid {name}.{_hint(body)}")) from error
    if len(unfolded) > limit_bytes:
        raise Refused(problems.unfolds_too_large(limit_bytes))
    if not stream.eof or stream.unused_data:
        raise Refused(problems.malformed_body(f"The body is not one whole {name} stream."))
    return unfolded


def _hint(body: bytes) -> str:
    """HTTP APIs go by the Content-Type alone, and take JSON for text, whatever its coding."""
    if _REPLACEMENT not in body[:_LOOKED_AT_BYTES]:
        return ""
    return (
        " It was taken for text on its way here: behind an HTTP API, send compressed bodies without Content-Type."
    )


def encode_answer(answer: Answer, accept_encoding: str | None) -> Answer:
    """``answer`` compressed if the caller takes that."""
    headers = {**answer.headers, "vary": _varies(answer)}
    if not accept_encoding or not _takes_gzip(accept_encoding):
        return Answer(answer.status, headers, answer.body)
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    body = stream.compress(answer.body) + stream.flush()
    return Answer(answer.status, {**headers, "content-encoding": "gzip"}, body)


def _takes_gzip(accept_encoding: str) -> bool:
    taken = weights(accept_encoding)
    return taken.get("gzip", taken.get("x-gzip", taken.get("*", 0.0))) > 0


def _varies(answer: Answer) -> str:
    return ", ".join(name for name in (answer.headers.get("vary"), "accept-encoding") if name)
