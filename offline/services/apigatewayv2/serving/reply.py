"""Turns a function's response into an HTTP reply, in either payload format.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response
"""

import base64
import binascii
from typing import Any

import msgspec

from serinus.offline.http.errors import GatewayError
from serinus.offline.http.function_reply import decoded, reply_headers, status_of, text
from serinus.offline.http.reply import Headers, Reply
from serinus.offline.services.apigatewayv2.serving.errors import internal_error

PLAIN_TEXT = "text/plain;charset=UTF-8"


def reply_v1(payload: bytes) -> Reply:
    """Format 1.0: the documented form only; raises `HttpApiError` (500) for any other."""
    try:
        answer = decoded(payload)
        return with_body(Reply(status_of(answer), reply_headers(answer)), answer)
    except GatewayError as error:
        raise internal_error() from error


def reply_v2(payload: bytes) -> Reply:
    """Format 2.0: with a statusCode, a reply's parts; otherwise the body of a 200 in JSON."""
    try:
        answer = msgspec.json.decode(payload)
    except msgspec.DecodeError as error:
        raise internal_error() from error
    if not isinstance(answer, dict) or "statusCode" not in answer:
        return inferred(answer, payload)
    try:
        reply = Reply(status_of(answer), reply_headers({"headers": answer.get("headers")}))
        reply.headers += cookies(answer)
        return with_body(reply, answer)
    except GatewayError as error:
        raise internal_error() from error


def inferred(answer: Any, payload: bytes) -> Reply:
    body = answer.encode() if isinstance(answer, str) else payload
    return Reply(200, [("Content-Type", "application/json")], body)


def cookies(answer: dict[str, Any]) -> Headers:
    cookie_values = answer.get("cookies") or []
    if not isinstance(cookie_values, list):
        raise internal_error()
    return [("Set-Cookie", text(cookie)) for cookie in cookie_values]


def with_body(reply: Reply, answer: dict[str, Any]) -> Reply:
    """``reply`` with the response's body, decoded if the function declares it as base64."""
    body = answer.get("body")
    if body is not None and not isinstance(body, str):
        raise internal_error()
    if not reply.has("content-type"):
        reply.headers.append(("Content-Type", PLAIN_TEXT))
    reply.body = (body or "").encode()
    if answer.get("isBase64Encoded") is True:
        try:
            reply.body = base64.b64decode(reply.body, validate=True)
        except binascii.Error as error:
            raise internal_error() from error
    return reply
