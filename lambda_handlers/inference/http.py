"""One HTTP request, and the endpoint's routes: the same for the hot route and the FastAPI application."""

from collections.abc import Callable
from typing import NamedTuple

#: Method and path; the path is relative to the root, the stage or base path that callers see before it.
Route = tuple[str, str]

PREDICT: Route = ("POST", "/predict")
#: Only where explanations are switched on.
EXPLAIN: Route = ("POST", "/explain")
MODEL: Route = ("GET", "/model")
HEALTH: Route = ("GET", "/health")
DOCS: Route = ("GET", "/docs")
OPENAPI: Route = ("GET", "/openapi.json")
INVOCATIONS: Route = ("POST", "/invocations")
PING: Route = ("GET", "/ping")
#: The Open Inference Protocol: this path and all below it.
OPEN_INFERENCE = "/v2"

#: All routes but those of the `protocols`, which are in `protocols.routes`.
OWN_ROUTES = frozenset({PREDICT, MODEL, HEALTH, DOCS, OPENAPI})


class Request(NamedTuple):
    """``body`` is decoded; ``header`` returns a header by its lower-case name, None if there is none."""

    body: bytes
    header: Callable[[str], str | None]
