"""Payload compression: decodes request bodies and encodes response bodies, if the API enables it.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html
"""

import gzip
import zlib

from serinus.offline.http.errors import body_too_large, unreadable_body
from serinus.offline.http.reply import Reply
from serinus.offline.http.request import LARGEST_BODY_BYTES, GatewayRequest
from serinus.offline.services.apigateway.serving.exchange import RestExchange

#: zlib's window for "gzip" and "deflate" streams.
WINDOW_BITS = {"gzip": 31, "deflate": 15}


def decompress(request: GatewayRequest) -> None:
    """Replace a compressed body and drop its Content-Encoding; "identity" and unknown encodings stay."""
    encoding = (request.header("content-encoding") or "").strip().lower()
    if encoding not in WINDOW_BITS or not request.body:
        return
    stream = zlib.decompressobj(WINDOW_BITS[encoding])
    try:
        request.body = stream.decompress(request.body, LARGEST_BODY_BYTES)
    except zlib.error as error:
        raise unreadable_body(encoding) from error
    if stream.unconsumed_tail:
        raise body_too_large()
    if not stream.eof:
        raise unreadable_body(encoding)
    request.headers = [kept for kept in request.headers if kept[0].lower() != "content-encoding"]
    request.values.pop("content-encoding", None)


def compress(exchange: RestExchange, reply: Reply, smallest_bytes: int) -> None:
    """Encode a body of at least ``smallest_bytes`` as the client accepts, unless it is already encoded."""
    if len(reply.body) < smallest_bytes or not reply.body or reply.has("content-encoding"):
        return
    encoding = accepted(exchange.request.header("accept-encoding") or "")
    if encoding == "gzip":
        reply.body = gzip.compress(reply.body, compresslevel=6, mtime=0)
    elif encoding == "deflate":
        reply.body = zlib.compress(reply.body)
    else:
        return
    reply.headers.append(("Content-Encoding", encoding))


def accepted(accept_encoding: str) -> str | None:
    offered = {}
    for part in accept_encoding.lower().split(","):
        name, _, weight = part.partition(";")
        offered[name.strip()] = weight.replace(" ", "") not in ("q=0", "q=0.0")
    for encoding in ("gzip", "deflate"):
        if offered.get(encoding, offered.get("*", False)):
            return encoding
    return None
