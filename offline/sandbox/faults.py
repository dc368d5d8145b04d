"""Injects faults into functions, for rehearsals and tests, without a change to their code.

An offline-only API sets them by function and optionally by version; AWS has no such API.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serinus.offline.core.errors import OfflineError

ALL_VERSIONS = "*"
RATES = ("error_rate", "crash_rate", "init_failure_rate")


@dataclass(frozen=True, slots=True)
class Fault:
    """An injected fault: rates are shares of invocations (or inits) in [0, 1], delays are real milliseconds.

    With ``alias_only`` the faults of invocations (not of inits) skip those that name a version, as tests before
    traffic do: such a function fails only under live requests.
    """

    error_rate: float = 0.0
    latency_ms: float = 0.0
    crash_rate: float = 0.0
    slow_init_ms: float = 0.0
    init_failure_rate: float = 0.0
    alias_only: bool = False

    def in_force(self, arn: str) -> "Fault":
        """This fault, or an empty one if it skips the invoked ``arn``."""
        return NO_FAULT if self.alias_only and not _names_alias(arn) else self


NO_FAULT = Fault()


class Faults:
    """The faults in force, and the random generator that selects the invocations."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._by_version: dict[tuple[str, str], Fault] = {}

    def of(self, function: str, version: str) -> Fault:
        """The fault of this version, else of the whole function, else an empty one."""
        if not self._by_version:
            return NO_FAULT
        general = self._by_version.get((function, ALL_VERSIONS), NO_FAULT)
        return self._by_version.get((function, version), general)

    def strikes(self, rate: float) -> bool:
        return rate > 0 and self._dice.random() < rate

    def set(self, function: str, version: str, fault: Fault) -> None:
        self._by_version[function, version] = fault

    def clear(self, function: str | None = None) -> None:
        """Clear one function's faults, or all."""
        self._by_version = {
            key: fault for key, fault in self._by_version.items() if function not in (None, key[0])
        }

    def listed(self) -> list[dict[str, Any]]:
        return [
            {"function": function, "version": version, **asdict(fault)}
            for (function, version), fault in self._by_version.items()
        ]


def fault_from(body: dict[str, Any]) -> Fault:
    """The fault in a request; raises `OfflineError` naming the field, its value and its range."""
    known = {field.name for field in fields(Fault)}
    unknown = body.keys() - known - {"function", "version"}
    if unknown:
        raise OfflineError(f"unknown fault {sorted(unknown)[0]!r}; faults are {', '.join(sorted(known))}")
    values = {name: body[name] for name in known & body.keys()}
    if not isinstance(values.get("alias_only", False), bool):
        raise OfflineError(f"alias_only is {values['alias_only']!r}; it must be true or false")
    for name, value in values.items():
        if name == "alias_only":
            continue
        most = 1.0 if name in RATES else 900_000.0
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise OfflineError(f"{name} is {value!r}; it must be a number between 0 and {most:g}")
    return Fault(**values)


#: Ends workers of a function, or of one of its versions; returns their number.
EndWorkers = Callable[[str, str | None], Awaitable[int]]


def routes(faults: Faults, kill_workers: EndWorkers, recycle_workers: EndWorkers) -> list[Route]:
    """The API under ``/_offline/faults``.

    GET lists; PUT {"function", "version"?, ...} sets; DELETE clears all, or ``?function=`` one function's. POST
    ``/_offline/faults/kill-workers`` {"function", "version"?} kills worker processes now, busy or not;
    ``/_offline/faults/recycle-workers`` ends on-demand workers, busy ones once they have answered.
    """

    async def listed(_: Request) -> Response:
        return JSONResponse({"faults": faults.listed()})

    async def put(request: Request) -> Response:
        body = await request.json()
        try:
            fault = fault_from(body)
            function = _function_of(body)
        except OfflineError as error:
            return JSONResponse({"message": str(error)}, status_code=400)
        faults.set(function, str(body.get("version", ALL_VERSIONS)), fault)
        return JSONResponse({"faults": faults.listed()})

    async def clear(request: Request) -> Response:
        faults.clear(request.query_params.get("function"))
        return JSONResponse({"faults": faults.listed()})

    async def end(request: Request, named: str, workers: EndWorkers) -> Response:
        body = await request.json()
        try:
            function = _function_of(body)
        except OfflineError as error:
            return JSONResponse({"message": str(error)}, status_code=400)
        return JSONResponse({named: await workers(function, body.get("version"))})

    async def kill(request: Request) -> Response:
        return await end(request, "killed", kill_workers)

    async def recycle(request: Request) -> Response:
        return await end(request, "recycled", recycle_workers)

    return [
        Route("/_offline/faults", listed, methods=["GET"]),
        Route("/_offline/faults", put, methods=["PUT"]),
        Route("/_offline/faults", clear, methods=["DELETE"]),
        Route("/_offline/faults/kill-workers", kill, methods=["POST"]),
        Route("/_offline/faults/recycle-workers", recycle, methods=["POST"]),
    ]


def _names_alias(arn: str) -> bool:
    """Whether a function's ARN ends in an alias: arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]."""
    qualifier = arn.split(":")[7:]
    return bool(qualifier) and qualifier[0] != "$LATEST" and not qualifier[0].isdigit()


def _function_of(body: dict[str, Any]) -> str:
    function = body.get("function")
    if not isinstance(function, str) or not function:
        raise OfflineError('a fault needs a function: {"function": "NAME", ...}')
    return function
