"""Content codings: compressed bodies in, compressed responses out.

Applied in front of hot route and application alike, so that neither handles it. Decompression stops at the limit
of bodies: a few bytes that would decompress to gigabytes cost no more than the largest valid body.
"""

import zlib

from serinus.lambda_handlers.inference import problems
from serinus.lambda_handlers.inference.errors import Refused
from serinus.lambda_handlers.inference.negotiation import weights
from serinus.lambda_handlers.inference.scoring import Response

#: zlib's window for each coding that bodies may have.
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_GZIP = 31
#: The replacement character for invalid UTF-8.
_REPLACEMENT = "\ufffd".encode()
_LOOKED_AT_BYTES = 64
#: Digits of numbers hardly shrink further at higher levels, which take several times as long.
_LEVEL = 3


def decode_body(body: bytes, coding: str, limit_bytes: int) -> bytes:
    """``body`` without its Content-Encoding; raises `Refused` with status 400 (damaged), 413 (more than
    ``limit_bytes`` decompressed) or 415 (unsupported coding)."""
    name = coding.strip().lower()
    if name == "identity" or not body:
        return body
    if name not in _WINDOW_BITS:
        raise Refused(problems.unsupported_content_encoding(coding))
    stream = zlib.decompressobj(_WINDOW_BITS[name])
    try:
        decompressed = stream.decompress(body, limit_bytes + 1)
    except zlib.error as error:
        raise Refused(problems.malformed_body(f"The body is not valid {name}.{_hint(body)}")) from error
    if len(decompressed) > limit_bytes:
        raise Refused(problems.decompressed_too_large(limit_bytes))
    if not stream.eof or stream.unused_data:
        raise Refused(problems.malformed_body(f"The body is not one whole {name} stream."))
    return decompressed


def _hint(body: bytes) -> str:
    """HTTP APIs look at the Content-Type alone, and treat JSON as text, whatever its coding."""
    if _REPLACEMENT not in body[:_LOOKED_AT_BYTES]:
        return ""
    return " The API treated it as text: behind an HTTP API, send compressed bodies without Content-Type."


def encode_response(response: Response, accept_encoding: str | None) -> Response:
    """``response``, compressed if the caller accepts that."""
    headers = {**response.headers, "vary": _varies(response)}
    if not accept_encoding or not _accepts_gzip(accept_encoding):
        return Response(response.status, headers, response.body)
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    body = stream.compress(response.body) + stream.flush()
    return Response(response.status, {**headers, "content-encoding": "gzip"}, body)


def _accepts_gzip(accept_encoding: str) -> bool:
    taken = weights(accept_encoding)
    return taken.get("gzip", taken.get("x-gzip", taken.get("*", 0.0))) > 0


def _varies(response: Response) -> str:
    return ", ".join(name for name in (response.headers.get("vary"), "accept-encoding") if name)
