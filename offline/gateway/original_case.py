"""An HTTP protocol that remembers header names as the client spelled them.

ASGI servers lower-case them; API Gateway hands a function the names as sent, and some functions look.
"""

from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Where the scope holds [(name, value)] as sent.
SENT_HEADERS = "offline.sent_headers"


class OriginalCaseProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, with the headers as sent beside the lower-cased ones."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[SENT_HEADERS] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        cast("dict[str, Any]", self.scope)[SENT_HEADERS].append((name, value))
        super().on_header(name, value)
