"""The FastAPI application behind Mangum: for all requests except those of the hot route."""

import asyncio
import binascii
import re
from typing import Any

from mangum import Mangum

import serinus.lambda_handlers.inference.deferred_fastapi  # noqa: F401  before anything imports FastAPI
from serinus.lambda_handlers.inference.api import ROOT_KEY, create_api
from serinus.lambda_handlers.inference.events import Event, is_payload_2, read_root
from serinus.lambda_handlers.inference.scoring import Response, Scorer

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?")
_PORT = re.compile(r"\d{1,5}")


class AsgiApp:
    """Handles proxy events by the application."""

    def __init__(self, scorer: Scorer, *, docs: bool, auth: str) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)  # Mangum looks for one
        self._call = Mangum(create_api(scorer, docs=docs, auth=auth), lifespan="off")

    def __call__(self, event: Event, context: object, path: str, body: bytes) -> Response:
        """The application's response to ``event``, whose route's ``path`` and ``body`` have been read."""
        asyncio.set_event_loop(self._loop)
        return _read(self._call(prepare(event, path, body), context))  # type: ignore[arg-type]

    def close(self) -> None:
        """Close the event loop; the application handles no more events."""
        asyncio.set_event_loop(None)
        self._loop.close()


def _read(written: Any) -> Response:
    """Mangum's response, without its content-length, which is set later."""
    body = written["body"]
    headers = {name: value for name, value in written["headers"].items() if name != "content-length"}
    return Response(
        written["statusCode"],
        headers,
        binascii.a2b_base64(body) if written["isBase64Encoded"] else body.encode(),
    )


def prepare(event: Event, path: str, body: bytes) -> Event:
    """``event`` as Mangum can read it: the path below its root, the body decoded, and no header that Mangum fails
    on."""
    root = read_root(event, path)
    event = {**event, "body": binascii.b2a_base64(body, newline=False).decode(), "isBase64Encoded": True}
    headers = {
        name: value for name, value in (event.get("headers") or {}).items() if _is_readable(name.lower(), value)
    }
    if is_payload_2(event):
        context = event["requestContext"]
        http = {"sourceIp": None, **context["http"], "path": path}
        return {**event, "headers": headers, "requestContext": {**context, "http": http, ROOT_KEY: root}}
    multi = {
        name: values
        for name, values in (event.get("multiValueHeaders") or {}).items()
        if _is_readable(name.lower(), ", ".join(values))
    }
    context = {"identity": {}, **event["requestContext"], ROOT_KEY: root}
    return {
        **event,
        "path": path,
        "headers": {} if event.get("multiValueHeaders") else headers,
        "multiValueHeaders": multi,
        "requestContext": context,
    }


def _is_readable(name: str, value: Any) -> bool:
    """Mangum takes host and port apart without checking them."""
    match name:
        case "host":
            return _HOST.fullmatch(value) is not None
        case "x-forwarded-port":
            return _PORT.fullmatch(value) is not None
    return isinstance(value, str)
