"""Lets pages of other origins read responses: the function's half of CORS, beside the API's preflights.

A REST API's proxy integration returns the function's headers as they are, so the function has to name the origin
(https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html). An HTTP API overwrites them with
its own (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html).
"""

from collections.abc import Mapping
from typing import Any

from serinus.lambda_handlers.contract import signals
from serinus.lambda_handlers.inference.events import Event, read_header

_EXPOSED = ", ".join(signals.EXPOSED_HEADERS)


class Cors:
    """Adds CORS headers for the allowed origins; falsy if there are none."""

    def __init__(self, origins: frozenset[str]) -> None:
        self._origins = origins

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Cors":
        """The origins in SERINUS_CORS_ORIGINS, separated by commas; ``*`` is any."""
        listed = environ.get(signals.ENV_CORS_ORIGINS, "").split(",")
        return cls(frozenset(origin.strip() for origin in listed if origin.strip()))

    def __bool__(self) -> bool:
        return bool(self._origins)

    def mark(self, event: Event, headers: dict[str, Any]) -> None:
        """Add to a response's ``headers`` those that let the page that sent ``event`` read it."""
        if "*" in self._origins:
            headers["access-control-allow-origin"] = "*"
        else:
            # A cache must not serve one page the response meant for another.
            headers["vary"] = ", ".join(name for name in (headers.get("vary"), "origin") if name)
            if (origin := read_header(event, "origin")) not in self._origins:
                return
            headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = _EXPOSED
