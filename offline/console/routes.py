"""Serves the page and its requests below /_offline.

GET /_offline/                              the page
GET /_offline/console/{file}                its script and style
GET /_offline/console/overview              functions, APIs, alarms, deployments, stacks
GET /_offline/console/requests?after=N      the last requests through the gateway
GET /_offline/console/requests/{number}     one of them, with its bodies
GET /_offline/console/logs?region=&group=   the log groups, and the last lines of one

The page itself shows nothing without the cloud's key, with which its script signs its requests. It changes nothing
here: its form's requests go to the gateway, like any client's.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from serinus.offline.console.log_view import last_lines, log_groups
from serinus.offline.console.overview import overview
from serinus.offline.console.sources import Sources
from serinus.offline.core.ports import CloudContext
from serinus.offline.http.request_log import RequestLog

#: The prefix of this cloud's own API, which is not part of AWS.
OWN_API = "/_offline"
STATIC = Path(__file__).with_name("static")
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
#: The page shows text of functions and callers: even if it were taken for markup, it could not run anything.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def routes(cloud: CloudContext, sources: Sources, requests: RequestLog) -> list[Route]:
    """The page's data, for the cloud's owner alone; deployed APIs record their requests in ``requests``."""
    account_id = cloud.config.account_id

    async def show_overview(_request: Request) -> Response:
        return _json(overview(cloud, sources))

    async def show_requests(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        newer = requests.after(int(after) if after.isdecimal() else 0)
        return _json({"requests": [entry.summary() for entry in newer]})

    async def show_request(request: Request) -> Response:
        request_entry = requests.find(request.path_params["number"])
        if request_entry is None:
            return _json({"message": "that request is no longer kept"}, 404)
        return _json(
            request_entry.summary()
            | {"sent": asdict(request_entry.sent), "answered": asdict(request_entry.answered)}
        )

    async def show_logs(request: Request) -> Response:
        region = request.query_params.get("region", cloud.config.region)
        group = request.query_params.get("group")
        lines = last_lines(account_id, region, group) if group else []
        return _json({"groups": log_groups(account_id), "lines": lines})

    return [
        Route(f"{OWN_API}/console/overview", show_overview),
        Route(f"{OWN_API}/console/requests", show_requests),
        Route(f"{OWN_API}/console/requests/{{number:int}}", show_request),
        Route(f"{OWN_API}/console/logs", show_logs),
    ]


def open_routes() -> list[Route]:
    """The page and its files, which contain nothing of the cloud."""

    async def slash(_request: Request) -> Response:
        return RedirectResponse(f"{OWN_API}/", status_code=308)

    files = [path for path in STATIC.iterdir() if path.suffix in MEDIA_TYPES]
    return [
        Route(OWN_API, slash),
        Route(f"{OWN_API}/", _serve(STATIC / "page.html")),
        *(Route(f"{OWN_API}/console/{path.name}", _serve(path)) for path in files),
    ]


def _serve(path: Path) -> Callable[[Request], Awaitable[Response]]:
    async def file(_request: Request) -> Response:
        return FileResponse(path, media_type=MEDIA_TYPES[path.suffix], headers=HEADERS)

    return file


def _json(data: Any, status: int = 200) -> Response:
    return JSONResponse(data, status, HEADERS)
