"""Twins: archives built for this machine that replace archives built for Lambda's platform.

A layer deployed here is the same zip that would go to AWS, so its native modules may not load on this machine. Its
builder can build a twin from the same lock for this platform and register it under the target zip's hash; the
sandbox then unpacks the twin, and notes it in the cloud's log.
"""

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(slots=True)
class Twins:
    """Registered twins: hash (hex SHA-256) of the target zip -> the zip for this machine."""

    paths: dict[str, Path]

    def register(self, sha256: str, path: Path) -> None:
        self.paths[sha256.lower()] = path

    def of(self, sha256: str) -> Path | None:
        return self.paths.get(sha256)


def routes(twins: Twins) -> list[Route]:
    """``PUT /_offline/layer-twins/{sha256}`` with {"path": ...}; ``GET /_offline/layer-twins`` lists."""

    async def register(request: Request) -> Response:
        sha256 = request.path_params["sha256"]
        body = await request.json()
        path = Path(body.get("path", ""))
        if len(sha256) != 64 or any(digit not in "0123456789abcdefABCDEF" for digit in sha256):
            return _refused(f"{sha256!r} is not a hex SHA-256; send the hash of the deployed zip")
        if not path.is_absolute() or not path.is_file():
            return _refused(f"no file at {str(path)!r}; send the absolute path of the twin zip")
        twins.register(sha256, path)
        return JSONResponse({"sha256": sha256.lower(), "path": str(path)})

    async def listed(_: Request) -> Response:
        return JSONResponse({sha256: str(path) for sha256, path in twins.paths.items()})

    return [
        Route("/_offline/layer-twins/{sha256}", register, methods=["PUT"]),
        Route("/_offline/layer-twins", listed, methods=["GET"]),
    ]


def _refused(message: str) -> Response:
    return JSONResponse({"message": message}, status_code=400)
