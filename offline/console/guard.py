"""Who may speak to this cloud's own API from a browser: its own page, and no other.

Any page that is open in a browser can send requests to a loopback address. A page under a name that was made to
resolve to one (DNS rebinding) could read the answers too, so the Host must be a loopback name; one elsewhere could
still change things blindly, so what changes something must come from this origin. Programs send no Origin.
"""

import ipaddress

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

OWN_API = "/_offline"
#: The page with what it shows, keys among it: for browsers on this machine alone.
PAGE = (f"{OWN_API}/console", f"{OWN_API}/")
SAFE_METHODS = frozenset({"GET", "HEAD"})


class Guard:
    """Lets requests for the cloud's own API through to ``app`` if they may; all others unasked."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if scope["type"] == "http" and scope["path"].startswith(OWN_API):
            app = self._refusal(scope) or app
        await app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_loopback(name_in(host)) and name_in(host) != self._host:
            return refuse(f"the Host is {host!r}; ask 127.0.0.1 or localhost.")
        peer = (scope.get("client") or ("127.0.0.1", 0))[0]
        if is_page(scope["path"]) and not is_loopback(peer):
            return refuse("this page shows API keys, to browsers on its own machine alone.")
        origin = headers.get("origin")
        if scope["method"] not in SAFE_METHODS and origin is not None and origin != f"http://{host}":
            return refuse(f"the request comes from a page at {origin!r}, not from this cloud's own.")
        return None


def is_page(path: str) -> bool:
    return path in (OWN_API, PAGE[1]) or path.startswith(PAGE[0])


def name_in(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0]


def is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def refuse(why: str) -> JSONResponse:
    return JSONResponse({"message": f"Refused: {why}"}, status_code=403)
