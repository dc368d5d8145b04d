"""Sends a reply to the client."""

from starlette.types import Send

from serinus.offline.http.reply import Reply

#: Statuses that must not have a body.
BODILESS = frozenset({204, 304})


async def respond(send: Send, reply: Reply) -> None:
    body = b"" if reply.status in BODILESS else reply.body
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in reply.headers]
    if reply.status not in BODILESS:
        headers.append((b"Content-Length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
