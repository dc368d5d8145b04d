"""A request's body once more, for an application behind one that has read it."""

from typing import Any

from starlette.types import Receive


def replay(body: bytes) -> Receive:
    """A receive channel that hands out a body which was read already."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
