"""Which pages of other origins may read answers: the function's half of CORS, beside the API's preflights.

A REST API's proxy integration hands on the function's headers as they are, so the function has to name the origin
(https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html). An HTTP API writes its own over
them (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html).
"""

from collections.abc import Mapping
from typing import Any

from serinus.lambda_handlers.contract import signals
from serinus.lambda_handlers.inference.events import Event, read_header

_EXPOSED = ", ".join(signals.EXPOSED_HEADERS)


class Cors:
    """Marks answers for the origins that may read them; with no origins it is falsy, and has nothing to do."""

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
        """Add to an answer's ``headers`` what lets the page read it that sent ``event``."""
        if "*" in self._origins:
            headers["access-control-allow-origin"] = "*"
        else:
            # A cache must not give one page the answer meant for another.
            headers["vary"] = ", ".join(name for name in (headers.get("vary"), "origin") if name)
            if (origin := read_header(event, "origin")) not in self._origins:
                return
            headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = _EXPOSED
