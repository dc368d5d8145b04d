"""Restricts a request's origin to programs on this machine and this cloud's own page.

Any page that is open in a browser can send requests to a loopback address. A page under a name that resolves to it
(DNS rebinding) could read the responses too, so the Host must be a loopback name; any other page could still send
requests blindly, so a page's request must come from this cloud's own page. Programs send no Origin. Deployed APIs
are exempt: they are made for other pages, and have CORS and authorization.
"""

import ipaddress
import re

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

#: For a response before the body was read: the rest of the body is not a next request.
UNREAD = {"Connection": "close"}
#: The form of a Host header: a name or an address, and a port.
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]{1,5})?")
#: Hosts of a cloud that listens at every address of the machine.
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})


class Guard:
    """Passes requests to ``app`` unless another page sent them; ``host`` is the cloud's listening address."""

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
            return refuse(f"the Host is {host!r}; use 127.0.0.1 or localhost.")
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return refuse(f"the request comes from a page at {origin!r}, not from this cloud's own.")
        return None

    def _serves(self, name: str) -> bool:
        if is_loopback(name) or name == self._host:
            return True
        # An address cannot be rebound to this machine, as a name can.
        return self._host in ANY_ADDRESS and is_address(name)


def name_in(host: str) -> str:
    """The name in a Host header, without its port; "" if the header is malformed."""
    match = _HOST.fullmatch(host)
    return "" if match is None else match["v6"] or match["name"]


def is_loopback(name: str) -> bool:
    """Whether a name resolves to this machine only: S3 clients put the bucket's name before "localhost".

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
