"""The FastAPI application behind Mangum: for every request but the hot route's."""

import asyncio
import re
from typing import Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from lambda_handlers.inference.api import ROOT_KEY, create_api
from lambda_handlers.inference.events import Event, Route, is_payload_2
from lambda_handlers.inference.problems import CONTENT_TYPE as PROBLEM
from lambda_handlers.inference.scoring import Scorer

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?")
#: Anything else would travel as base64, which an API without `binaryMediaTypes` hands on undecoded.
_TEXT = [*DEFAULT_TEXT_MIME_TYPES, PROBLEM]
_PORT = re.compile(r"\d{1,5}")


class Face:
    """Answers proxy events through the application."""

    def __init__(self, scorer: Scorer, *, docs: bool) -> None:
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)  # Mangum looks for one
        self._call = Mangum(create_api(scorer, docs=docs), lifespan="off", text_mime_types=_TEXT)

    def __call__(self, event: Event, context: object, route: Route) -> Event:
        """The application's answer to ``event``, whose ``route`` has been read."""
        asyncio.set_event_loop(self._loop)
        return self._call(prepare(event, route), context)  # type: ignore[arg-type]

    def close(self) -> None:
        """Let go of the event loop; the face answers no more."""
        asyncio.set_event_loop(None)
        self._loop.close()


def prepare(event: Event, route: Route) -> Event:
    """``event`` as Mangum can read it: the path below its root, and no header that Mangum trips over."""
    headers = {
        name: value for name, value in (event.get("headers") or {}).items() if _is_readable(name.lower(), value)
    }
    if is_payload_2(event):
        context = event["requestContext"]
        http = {"sourceIp": None, **context["http"], "path": route.path}
        return {**event, "headers": headers, "requestContext": {**context, "http": http, ROOT_KEY: route.root}}
    multi = {
        name: values
        for name, values in (event.get("multiValueHeaders") or {}).items()
        if _is_readable(name.lower(), ", ".join(values))
    }
    context = {"identity": {}, **event["requestContext"], ROOT_KEY: route.root}
    return {
        **event,
        "path": route.path,
        "headers": headers,
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
