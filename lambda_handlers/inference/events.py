"""Lambda proxy events of API Gateway, as far as the hot route reads and writes them.

Both payloads: REST APIs (and HTTP APIs with payload 1.0) and HTTP APIs with payload 2.0; see
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
"""

import binascii
from collections.abc import Mapping
from typing import Any

from serinus.lambda_handlers.inference.errors import Refused, UnknownEvent
from serinus.lambda_handlers.inference.http import Route
from serinus.lambda_handlers.inference.problems import malformed_body
from serinus.lambda_handlers.inference.scoring import Response

Event = dict[str, Any]


_PROXY = "{proxy+}"


def is_payload_2(event: Event) -> bool:
    return event.get("version") == "2.0"


def read_route(event: Event) -> Route:
    """The event's route; raises `UnknownEvent` if it is not a proxy event."""
    try:
        context = event["requestContext"]
        if is_payload_2(event):
            http, resource = context["http"], event["routeKey"].rpartition(" ")[2]
            return http["method"], _below_root(event, http["path"], resource, context.get("stage"))
        return event["httpMethod"], _below_root(event, event["path"], event["resource"], context.get("stage"))
    except (KeyError, TypeError, AttributeError) as error:
        raise UnknownEvent(
            "the event is not a proxy event of API Gateway (REST, or HTTP with payload 1.0 or 2.0). "
            "Invoke this function through its API, or with such an event."
        ) from error


def read_root(event: Event, path: str) -> str:
    """The stage or base path that callers see before the ``path`` of a route, empty if there is none."""
    seen_path = _seen_path(event)
    root = seen_path.removesuffix(path) if path != "/" else ""
    return root if root != seen_path else ""


def _seen_path(event: Event) -> str:
    context = event["requestContext"]
    seen_path: str = context["http"]["path"] if is_payload_2(event) else context.get("path") or event["path"]
    return seen_path


def _below_root(event: Event, path: str, resource: str, stage: str | None) -> str:
    """``path`` without stage or base path: the part that the resource matched, if it ends so, or else the part
    after the stage. A REST API's path holds a custom domain's base path but never the stage."""
    if resource.endswith(_PROXY):
        resource = resource.removesuffix(_PROXY) + (event.get("pathParameters") or {}).get("proxy", _PROXY)
    if resource.startswith("/") and path.endswith(resource):
        return resource
    root = f"/{stage}"
    if (path == root or path.startswith(root + "/")) and path == _seen_path(event):
        return path[len(root) :] or "/"
    return path or "/"


def read_time_ms(event: Event, default: float) -> float:
    """When the API received the request, in milliseconds since 1970 by its clock; ``default`` if the event does
    not say."""
    context = event["requestContext"]
    time_ms = context.get("requestTimeEpoch", context.get("timeEpoch"))
    return time_ms if isinstance(time_ms, int | float) else default


def read_header(event: Event, name: str) -> str | None:
    """The header of lower-case ``name``, None if there is none. Names are compared without case. If there are
    multi-value headers, only they count, joined as Mangum joins them: API Gateway repeats the last value of each
    as a single one."""
    if (multiple := event.get("multiValueHeaders")) and not is_payload_2(event):
        values = _find(multiple, name)
        return None if values is None else ", ".join(values)
    value: str | None = _find(event.get("headers") or {}, name)
    return value


def _find(headers: dict[str, Any], sought: str) -> Any:
    """The last value of its name, as Mangum keeps it."""
    value, length = None, len(sought)
    for name in headers:
        if len(name) == length and name.lower() == sought:
            value = headers[name]
    return value


def read_body(event: Event) -> bytes:
    """The body's bytes, empty if there is none; raises `Refused` (400) if it cannot be decoded, and
    `UnknownEvent` if it is not a string."""
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise UnknownEvent(f"the event's body is a {type(body).__name__}; API Gateway sends a string or null.")
    try:
        return binascii.a2b_base64(body) if event.get("isBase64Encoded") else body.encode()
    except ValueError as error:
        encoding = "base64" if event.get("isBase64Encoded") else "Unicode"
        raise Refused(malformed_body(f"The body is not valid {encoding}.")) from error


def write_response(event: Event, response: Response) -> Event:
    """The response in the form of the event's payload; a body that is not text travels as base64."""
    body = response.body
    is_text = is_text_type(response.headers)
    written = {
        "statusCode": response.status,
        "headers": {**response.headers, "content-length": str(len(body))},
        "body": body.decode() if is_text else binascii.b2a_base64(body, newline=False).decode(),
        "isBase64Encoded": not is_text,
    }
    if not is_payload_2(event):
        written["multiValueHeaders"] = {}
    return written


def is_text_type(headers: Mapping[str, str]) -> bool:
    """Whether a body with these headers is text: all are, except tensors' bytes and compressed bodies."""
    return "content-encoding" not in headers and headers["content-type"] != "application/octet-stream"


def accepts_binary(event: Event) -> bool:
    """Whether the API is known to decode base64: an HTTP API does, and a REST API with binary media types, which
    is known by a body that came as base64."""
    return is_payload_2(event) or bool(event.get("isBase64Encoded"))
