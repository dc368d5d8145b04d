"""This cloud's own API for functions, beside AWS's: downloads, workers, faults, twins."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from serinus.offline.sandbox import faults, twins

if TYPE_CHECKING:
    from serinus.offline.services.lambda_.service import Lambda


def routes(service: "Lambda") -> list[Route]:
    """Routes under ``/_offline``.

    ``GET lambda/workers`` lists the worker processes; ``PUT dice`` {"seed"} reseeds alias weights and faults;
    faults and layer twins as in their modules.
    """

    async def workers(_: Request) -> Response:
        return JSONResponse({"workers": [asdict(state) for state in service.sandbox.states()]})

    async def dice(request: Request) -> Response:
        body = await request.json()
        seed = body.get("seed") if isinstance(body, dict) else None
        if isinstance(seed, bool) or not isinstance(seed, int):
            return JSONResponse({"message": f'send {{"seed": a whole number}}, not {body!r}'}, status_code=400)
        service.dice.seed(seed)
        return JSONResponse({"seed": seed})

    return [
        Route("/_offline/lambda/workers", workers, methods=["GET"]),
        Route("/_offline/dice", dice, methods=["PUT"]),
        *faults.routes(
            service.faults,
            lambda *which: service.sandbox.kill_workers(*which),
            lambda *which: service.sandbox.recycle_workers(*which),
        ),
        *twins.routes(service.twins),
    ]


def open_routes(service: "Lambda") -> list[Route]:
    """``GET lambda/archives/{sha256}?seal=`` is the target of Code.Location, on AWS a presigned URL of S3."""

    async def archive(request: Request) -> Response:
        sha256 = request.path_params["sha256"]
        if not service.archives.is_sealed(sha256, request.query_params.get("seal", "")):
            return JSONResponse({"message": "this link was not issued by this cloud"}, status_code=403)
        path = service.archives.path(sha256)
        if not path.is_file():
            return JSONResponse({"message": "no such archive"}, status_code=404)
        return FileResponse(path, media_type="application/zip")

    return [Route("/_offline/lambda/archives/{sha256}", archive, methods=["GET"])]
