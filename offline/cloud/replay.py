"""Replays a request's body for an application behind one that has read it."""

from typing import Any

from starlette.types import Receive


def replay(body: bytes) -> Receive:
    """A receive channel that returns a body that was already read."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
