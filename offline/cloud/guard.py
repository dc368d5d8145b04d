"""Restricts a request's origin to programs on this machine and this cloud's own page.

Any page that is open in a browser can send requests to a loopback address. One under a name that was made to
resolve to it (DNS rebinding) could read the answers too, so the Host must be a loopback name; one elsewhere could
still send what it likes blindly, so a request that a page sent must come from this cloud's own. Programs send no
Origin. Deployed APIs are not behind this: they are made for pages elsewhere, and have CORS and authorization.
"""

import ipaddress
import re

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

#: For an answer before the body was read: what is left of it is no next request.
UNREAD = {"Connection": "close"}
#: What a Host header may look like: a name or an address, and a port.
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]{1,5})?")
#: Hosts under which a cloud listens that answers at every address of the machine.
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})


class Guard:
    """Lets requests through to ``app`` that come from no other page; ``host`` is where the cloud listens."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app: ASGIApp = self._app
        if scope["type"] == "http":
            app = self._refusal(Headers(scope=scope)) or app
        await app(scope, receive, send)

    def _refusal(self, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if not self._serves(name_in(host)):
            return refuse(f"the Host is {host!r}; ask 127.0.0.1 or localhost.")
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return refuse(f"the request comes from a page at {origin!r}, not from this cloud's own.")
        return None

    def _serves(self, name: str) -> bool:
        if is_loopback(name) or name == self._host:
            return True
        # An address is no name that could be made to resolve here.
        return self._host in ANY_ADDRESS and is_address(name)


def name_in(host: str) -> str:
    """The name in a Host header, without its port; "" where it is of no such form."""
    match = _HOST.fullmatch(host)
    return "" if match is None else match["v6"] or match["name"]


def is_loopback(name: str) -> bool:
    """Whether a name leads to this machine alone: S3 clients put the bucket's name before "localhost".

    Source: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
    """
    lowered = name.lower()
    if lowered == "localhost" or lowered.endswith(".localhost"):
        return True
    return is_address(name) and ipaddress.ip_address(name).is_loopback


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def refuse(why: str) -> JSONResponse:
    return JSONResponse({"message": f"Refused: {why}"}, status_code=403, headers=UNREAD)
