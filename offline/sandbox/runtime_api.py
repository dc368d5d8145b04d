"""The Runtime API, which AWS's runtime client polls for invocations and posts responses to.

Each worker has its own port on loopback: the client accepts only ``host:port`` and sends no secret. So requests of
browsers and of other users of this machine are rejected. A hand-written protocol on httptools answers in a
fraction of a millisecond, which a web framework on the same event loop would not.
Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import asyncio
from typing import Protocol

import httptools

from serinus.offline.core.errors import OfflineError
from serinus.offline.sandbox.peer import is_of_this_user

PREFIX = "/2018-06-01/runtime/"
ACCEPTED_BODY = b'{"status":"OK"}\n'
#: Headers that browsers send for a page, and runtime clients never send.
BROWSER_HEADERS = frozenset({b"origin", b"referer", b"sec-fetch-site", b"sec-fetch-mode"})
#: A little more than the largest response, so that a larger one is measured and not kept.
KEPT_BODY_BYTES = 7 * 1024 * 1024


class RuntimeEvents(Protocol):
    """A worker's runtime reports to its supervisor. ``response`` and ``error`` return whether they fit."""

    def on_next(self) -> None: ...
    def on_response(self, request_id: str, body: bytes, size_bytes: int) -> bool: ...
    def on_error(self, request_id: str, body: bytes, error_type: str) -> None: ...
    def on_init_error(self, body: bytes, error_type: str) -> None: ...
    def on_restore_next(self) -> None: ...
    def on_restore_error(self, body: bytes, error_type: str) -> None: ...


class RuntimeApi:
    """One worker's Runtime API server."""

    def __init__(self, events: RuntimeEvents) -> None:
        self.events = events
        self._server: asyncio.Server | None = None
        self._polling: RuntimeConnection | None = None
        self._connections: set[RuntimeConnection] = set()

    async def start(self) -> str:
        """Listen; returns the address for AWS_LAMBDA_RUNTIME_API, ``host:port``."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: RuntimeConnection(self), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return f"127.0.0.1:{port}"

    @property
    def is_polled(self) -> bool:
        """Whether the runtime waits for its next invocation."""
        return self._polling is not None

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()

    def send_next(self, headers: dict[str, str], payload: bytes) -> None:
        """Answer the runtime's waiting poll (``invocation/next`` or ``restore/next``)."""
        polling, self._polling = self._polling, None
        if polling is None:
            raise OfflineError("a worker was sent an invocation while its runtime was not polling for one")
        polling.send(200, payload, headers)

    def opened(self, connection: "RuntimeConnection") -> None:
        self._connections.add(connection)

    def lost(self, connection: "RuntimeConnection") -> None:
        self._connections.discard(connection)
        if self._polling is connection:
            self._polling = None

    def handle(self, connection: "RuntimeConnection", path: str, body: bytes, size: int, kind: str) -> None:
        """Answer one request; polls stay open until `send_next`."""
        match path.removeprefix(PREFIX).split("/"):
            case ["invocation", "next"]:
                self._polling = connection
                self.events.on_next()
            case ["restore", "next"]:
                self._polling = connection
                self.events.on_restore_next()
            case ["invocation", request_id, "response"]:
                fits = self.events.on_response(request_id, body, size)
                connection.send(202 if fits else 413, ACCEPTED_BODY)
            case ["invocation", request_id, "error"]:
                connection.send(202, ACCEPTED_BODY)
                self.events.on_error(request_id, body, kind)
            case ["init", "error"]:
                connection.send(202, ACCEPTED_BODY)
                self.events.on_init_error(body, kind)
            case ["restore", "error"]:
                connection.send(202, ACCEPTED_BODY)
                self.events.on_restore_error(body, kind)
            case _:
                connection.send(404, b'{"errorMessage":"no such path","errorType":"InvalidPath"}')


class RuntimeConnection(asyncio.Protocol):
    """One keep-alive connection of a runtime client; parses requests and hands them to its `RuntimeApi`."""

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._reset()

    def _reset(self) -> None:
        self._path = b""
        self._from_page = False
        self._error_type = ""
        self._body: list[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        peer, own = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if not is_of_this_user(peer, own):
            transport.abort()
            return
        self._transport = transport
        self.api.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        self._transport = None
        self.api.lost(self)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if lowered in BROWSER_HEADERS:
            self._from_page = True
        elif lowered == b"lambda-runtime-function-error-type":
            self._error_type = value.decode("latin-1")
        elif lowered == b"expect" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= KEPT_BODY_BYTES:
            self._body.append(body)

    def on_message_complete(self) -> None:
        path, body, size, kind = self._path.decode("latin-1"), b"".join(self._body), self._size, self._error_type
        from_page = self._from_page
        self._reset()
        if from_page:
            self.send(403, b'{"errorMessage":"requests of web pages are rejected","errorType":"Forbidden"}')
            return
        self.api.handle(self, path, body, size, kind)

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        if self._transport is None:
            return
        lines = [f"HTTP/1.1 {status} {REASONS[status]}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines.append(f"Content-Length: {len(body)}\r\n\r\n")
        self._transport.write("\r\n".join(lines).encode() + body)


REASONS = {200: "OK", 202: "Accepted", 403: "Forbidden", 404: "Not Found", 413: "Payload Too Large"}
