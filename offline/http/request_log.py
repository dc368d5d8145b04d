"""The gateway's last requests, for the page: in memory, bounded, never on disk."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from serinus.offline.http.passage import Passage
from serinus.offline.http.reply import Reply

MOST_REQUESTS = 200
#: Longer bodies are cut: they are kept for display.
LARGEST_BODY_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class RecordedBody:
    """The kept part of a request's or response's body; ``text`` is None if it is binary."""

    size_bytes: int
    content_type: str
    text: str | None

    @classmethod
    def of(cls, data: bytes, content_type: str | None) -> "RecordedBody":
        """``data``, cut to the kept part."""
        kept = data[:LARGEST_BODY_BYTES]
        try:
            text: str | None = kept.decode()
        except UnicodeDecodeError as error:
            cut_within_a_character = len(data) > len(kept) and error.start > len(kept) - 4
            text = kept[: error.start].decode() if cut_within_a_character else None
        return cls(len(data), content_type or "", text)


@dataclass(frozen=True, slots=True)
class RecentRequest:
    """A request and its response; ``at`` in cloud epoch seconds, ``latency_ms`` real. ``number`` counts from 1;
    ``version`` is the function's that ran, if any. Headers are not kept: they contain keys."""

    number: int
    at: float
    api_id: str
    stage: str
    method: str
    path: str
    status: int
    latency_ms: float
    request_id: str
    version: str | None
    sent: RecordedBody
    answered: RecordedBody

    def summary(self) -> dict[str, Any]:
        """The request's row in a list."""
        return {
            "number": self.number,
            "at": self.at,
            "api_id": self.api_id,
            "stage": self.stage,
            "method": self.method,
            "path": self.path,
            "status": self.status,
            "latency_ms": round(self.latency_ms, 2),
            "request_id": self.request_id,
            "version": self.version,
        }


class RequestLog:
    """The last `MOST_REQUESTS`, oldest first. Use it on the event loop."""

    def __init__(self) -> None:
        self._kept: deque[RecentRequest] = deque(maxlen=MOST_REQUESTS)
        self._count = 0

    def note(self, exchange: Passage, api_id: str, stage: str, reply: Reply) -> None:
        """Record an answered request; cheap, as every request passes here."""
        self._count += 1
        self._kept.append(
            RecentRequest(
                self._count,
                exchange.cloud_time,
                api_id,
                stage,
                exchange.request.method,
                exchange.request.path + (f"?{exchange.request.raw_query}" if exchange.request.raw_query else ""),
                exchange.status,
                exchange.latency_ms,
                exchange.request_id,
                exchange.integration_version,
                RecordedBody.of(exchange.request.body, exchange.request.header("content-type")),
                RecordedBody.of(reply.body, content_type_of(reply)),
            )
        )

    def after(self, number: int) -> list[RecentRequest]:
        """The requests with a greater number than ``number``."""
        return [request for request in self._kept if request.number > number]

    def find(self, number: int) -> RecentRequest | None:
        return next((request for request in self._kept if request.number == number), None)


def content_type_of(reply: Reply) -> str | None:
    return next((value for name, value in reply.headers if name.lower() == "content-type"), None)
