"""Lambda proxy events of API Gateway, as far as the hot route reads and writes them.

Both payloads: REST APIs (and HTTP APIs with payload 1.0) and HTTP APIs with payload 2.0; see
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
"""

import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambda_handlers.inference.errors import Refused, UnknownEvent
from lambda_handlers.inference.problems import malformed_body
from lambda_handlers.inference.scoring import Answer

Event = dict[str, Any]

_PROXY = "{proxy+}"


class Route(NamedTuple):
    """What is asked for: ``path`` is relative to ``root``, the stage or base path that callers see before it."""

    method: str
    path: str
    root: str


def is_payload_2(event: Event) -> bool:
    return event.get("version") == "2.0"


def read_route(event: Event) -> Route:
    """The event's route; raises `UnknownEvent` for what is no proxy event."""
    try:
        context = event["requestContext"]
        if is_payload_2(event):
            method, path = context["http"]["method"], context["http"]["path"]
            seen_path, resource = path, event["routeKey"].rpartition(" ")[2]
        else:
            method, path = event["httpMethod"], event["path"]
            seen_path, resource = context.get("path") or path, event["resource"]
        relative = _below_root(event, path, resource, f"/{context.get('stage')}", is_staged=seen_path == path)
        root = seen_path.removesuffix(relative) if relative != "/" else ""
        return Route(method, relative, root if root != seen_path else "")
    except (KeyError, TypeError, AttributeError) as error:
        raise UnknownEvent(
            "the event is no proxy event of API Gateway (REST, or HTTP with payload 1.0 or 2.0). "
            "Invoke this function through its API, or with such an event."
        ) from error


def _below_root(event: Event, path: str, resource: str, stage: str, *, is_staged: bool) -> str:
    """``path`` without stage or base path: what the resource matched, where it ends so, or else what follows
    the stage. A REST API's path holds a custom domain's base path but never the stage."""
    if resource.endswith(_PROXY):
        resource = resource.removesuffix(_PROXY) + (event.get("pathParameters") or {}).get("proxy", _PROXY)
    if resource.startswith("/") and path.endswith(resource):
        return resource
    if is_staged and (path == stage or path.startswith(stage + "/")):
        return path[len(stage) :] or "/"
    return path or "/"


def read_header(event: Event, name: str) -> str | None:
    """The header of lower-case ``name``, None when there is none. Names are compared without case; multi-value
    headers, joined as Mangum joins them, win over single ones."""
    if not is_payload_2(event):
        values = _find(event.get("multiValueHeaders") or {}, name)
        if values is not None:
            return ", ".join(values)
    value: str | None = _find(event.get("headers") or {}, name)
    return value


def _find(headers: dict[str, Any], sought: str) -> Any:
    """The last of its name, which is the one that Mangum keeps."""
    found, length = None, len(sought)
    for name, value in headers.items():
        if len(name) == length and name.lower() == sought:
            found = value
    return found


def read_body(event: Event) -> bytes:
    """The body's bytes, empty where there is none; raises `Refused` (400) where it cannot be decoded,
    and `UnknownEvent` where it is no string."""
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise UnknownEvent(f"the event's body is a {type(body).__name__}; API Gateway sends a string or null.")
    try:
        return binascii.a2b_base64(body) if event.get("isBase64Encoded") else body.encode()
    except ValueError as error:
        encoding = "base64" if event.get("isBase64Encoded") else "Unicode"
        raise Refused(malformed_body(f"The body is not valid {encoding}.")) from error


def write_answer(event: Event, answer: Answer) -> Event:
    """The answer in the form that belongs to the event's payload; what is no text travels as base64."""
    status, headers, body = answer
    is_text = is_text_type(headers)
    written = {
        "statusCode": status,
        "headers": {**headers, "content-length": str(len(body))},
        "body": body.decode() if is_text else binascii.b2a_base64(body, newline=False).decode(),
        "isBase64Encoded": not is_text,
    }
    if not is_payload_2(event):
        written["multiValueHeaders"] = {}
    return written


def is_text_type(headers: Mapping[str, str]) -> bool:
    """Whether a body with these headers is text, as all are but tensors' bytes and what is compressed."""
    return "content-encoding" not in headers and headers["content-type"] != "application/octet-stream"


def takes_binary(event: Event) -> bool:
    """Whether the API surely turns base64 back into bytes: an HTTP API does, a REST API where binary media types
    are set, as a body that came as base64 shows."""
    return is_payload_2(event) or bool(event.get("isBase64Encoded"))
