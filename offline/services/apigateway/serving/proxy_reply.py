"""Turns a function's response into an HTTP reply, or reports it as malformed.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
"""

import base64
import binascii
from typing import Any

from serinus.offline.http.errors import configuration_error, malformed_function_response
from serinus.offline.http.function_reply import decoded, reply_headers, status_of
from serinus.offline.http.reply import Reply
from serinus.offline.services.apigateway.serving.media_types import MediaTypes


def proxy_reply(payload: bytes, accept: str | None, binary: MediaTypes) -> Reply:
    """The reply in ``payload``; raises `GatewayError` (502) if it does not have the form that AWS requires."""
    answer = decoded(payload)
    reply = Reply(status_of(answer), reply_headers(answer))
    if not reply.has("content-type"):
        reply.headers.append(("Content-Type", "application/json"))
    reply.body = body_of(answer, accept, binary)
    return reply


def body_of(answer: dict[str, Any], accept: str | None, binary: MediaTypes) -> bytes:
    """The body's bytes: decoded from base64 if the function says so and the client accepts a binary type."""
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise malformed_function_response()
    if answer.get("isBase64Encoded") is True and binary.match(accept):
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise configuration_error() from error
    return body.encode()
