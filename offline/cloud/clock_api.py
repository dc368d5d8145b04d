"""The clock's own API, with which a rehearsal reads, speeds up or steps cloud time.

GET  /_offline/clock                      {"cloud_time", "epoch_s", "factor", "stepped", "held_s"}
POST /_offline/clock {"factor": 60}       change the speed; 0 stops the clock
POST /_offline/clock {"advance": 300}     step a stopped clock; responds when the due jobs have run
POST /_offline/clock {"skip_to": 1.7e9}   skip time in which nothing happens, up to this one (epoch seconds);
                                          responds after a few seconds even if it was not reached
"""

import math
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serinus.offline.core.clock import Clock

USAGE = 'send {"factor": cloud seconds per real second}, {"advance": cloud seconds} or {"skip_to": epoch seconds}'
COMMANDS = ("factor", "advance", "skip_to")
#: Real seconds after which a skip responds although something is still at work.
SKIP_PATIENCE_S = 5.0


def routes(clock: Clock) -> list[Route]:
    """The routes under /_offline that read and change ``clock``."""

    def shown() -> Response:
        return JSONResponse(
            {
                "cloud_time": clock.now().isoformat(),
                "epoch_s": clock.time(),
                "factor": clock.factor,
                "stepped": clock.stepped,
                "held_s": clock.held_s,
            }
        )

    async def show(_request: Request) -> Response:
        return shown()

    async def move(request: Request) -> Response:
        try:
            key, amount = _parse_command(await request.json())
            if key == "factor":
                clock.set_factor(amount)
            elif key == "advance":
                await clock.advance(amount)
            else:
                await clock.skip_to(amount, patience_s=SKIP_PATIENCE_S)
        except ValueError as error:
            return JSONResponse({"message": f"{error}; {USAGE}"}, status_code=400)
        return shown()

    return [
        Route("/_offline/clock", show, methods=["GET"]),
        Route("/_offline/clock", move, methods=["POST"]),
    ]


def _parse_command(body: Any) -> tuple[str, float]:
    """A request's command, one of `COMMANDS`, and its amount."""
    if not isinstance(body, dict) or len(body) != 1:
        raise ValueError(f"{body!r} must have one key of {', '.join(COMMANDS)}")
    ((key, amount),) = body.items()
    if key not in COMMANDS or isinstance(amount, bool) or not isinstance(amount, (int, float)):
        raise ValueError(f"{body!r} must set one of {', '.join(COMMANDS)} to a number")
    if not math.isfinite(amount):
        raise ValueError(f"{key} is {amount}; it must be finite")
    return key, float(amount)
