"""An HTTP protocol that keeps header names as the client spelled them.

ASGI servers lower-case them; API Gateway passes the names to functions as sent, and some functions depend on it.
Endless heads are cut off here, before authentication.
"""

from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: The scope's key of [(name, value)] as sent.
SENT_HEADERS = "offline.sent_headers"


#: Far more than any client sends: a presigned URL with a session's token takes some four kilobytes.
LARGEST_HEAD_BYTES = 64 * 1024
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class OriginalCaseProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, with the headers as sent beside the lower-cased ones."""

    _head_bytes: int | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD_BYTES and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        cast("dict[str, Any]", self.scope)[SENT_HEADERS] = []

    def on_headers_complete(self) -> None:
        self._head_bytes = None
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        cast("dict[str, Any]", self.scope)[SENT_HEADERS].append((name, value))
        super().on_header(name, value)
