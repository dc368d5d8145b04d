"""Parses a function's response in payload format 1.0, for REST and HTTP APIs alike.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
"""

from typing import Any

import msgspec

from serinus.offline.http.errors import malformed_function_response
from serinus.offline.http.reply import Headers

MEMBERS = frozenset({"isBase64Encoded", "statusCode", "headers", "multiValueHeaders", "body"})

#: Headers that the gateway sets itself; a function's own are sent under another name.
#: Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
REMAPPED = {
    "connection": "x-amzn-Remapped-Connection",
    "content-length": "x-amzn-Remapped-Content-Length",
    "date": "x-amzn-Remapped-Date",
    "server": "x-amzn-Remapped-Server",
    "www-authenticate": "x-amzn-Remapped-WWW-Authenticate",
}
DROPPED = frozenset({"transfer-encoding"})


def decoded(payload: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(payload)
    except msgspec.DecodeError as error:
        raise malformed_function_response() from error
    if not isinstance(answer, dict) or not MEMBERS.issuperset(answer):
        raise malformed_function_response()
    return answer


def status_of(answer: dict[str, Any]) -> int:
    raw_status = answer.get("statusCode")
    if raw_status is None:
        return 200
    if isinstance(raw_status, bool) or not isinstance(raw_status, int | str):
        raise malformed_function_response()
    try:
        status = int(raw_status)
    except ValueError as error:
        raise malformed_function_response() from error
    if not 100 <= status <= 599:
        raise malformed_function_response()
    return status


def reply_headers(answer: dict[str, Any]) -> Headers:
    """Headers of both forms; if both name a header, the multiple values win."""
    single = answer.get("headers") or {}
    multiple = answer.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not isinstance(multiple, dict):
        raise malformed_function_response()
    overridden = {name.lower() for name in multiple}
    headers = [(name, text(value)) for name, value in single.items() if name.lower() not in overridden]
    for name, values in multiple.items():
        if not isinstance(values, list):
            raise malformed_function_response()
        headers += [(name, text(value)) for value in values]
    return [(REMAPPED.get(name.lower()) or name, value) for name, value in headers if name.lower() not in DROPPED]


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise malformed_function_response()
    return value
