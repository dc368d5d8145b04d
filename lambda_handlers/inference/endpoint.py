"""The function's one endpoint: handles an event by the hot route or FastAPI, and returns the proxy response."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from serinus.lambda_handlers.contract.bundle import BACKGROUND, read_golden
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.files import holds
from serinus.lambda_handlers.contract.model_layer import find_model_folder
from serinus.lambda_handlers.contract.signals import AUTH_KINDS, ENV_AUTH, ENV_DOCS, ENV_HOT_ROUTE
from serinus.lambda_handlers.inference.cors import Cors
from serinus.lambda_handlers.inference.errors import BadSetting, UnknownEvent
from serinus.lambda_handlers.inference.events import (
    Event,
    accepts_binary,
    read_body,
    read_header,
    read_route,
    write_response,
)
from serinus.lambda_handlers.inference.http import (
    EXPLAIN,
    INVOCATIONS,
    OPEN_INFERENCE,
    OWN_ROUTES,
    PING,
    PREDICT,
    Request,
    Route,
)
from serinus.lambda_handlers.inference.limits import ExplainLimits, Limits
from serinus.lambda_handlers.inference.scoring import Response, Scorer
from serinus.lambda_handlers.inference.session import open_model

#: Shorter responses fit one packet anyway.
SMALLEST_COMPRESSED_BYTES = 1024
_PROTOCOL_PATHS = frozenset({INVOCATIONS[1], PING[1]})


class Endpoint:
    """Callable as a Lambda handler is: ``endpoint(event, context)``."""

    def __init__(self, scorer: Scorer, cors: Cors, *, docs: bool, auth: str, hot_route: bool) -> None:
        self.scorer = scorer
        self._cors = cors if cors else None
        self._docs = docs
        self._auth = auth
        self._hot_route = hot_route
        self._app: Any = None
        self._protocols: Mapping[tuple[str, str], Callable[[Request], Response]] | None = None
        if not hot_route:
            self._open_app()

    def __call__(self, event: Event, context: object) -> Event:
        """The proxy response to a proxy event; raises `UnknownEvent` for any other event. Any other error is
        logged, and the response has status 500."""
        route = read_route(event)
        try:
            response = self._answer(event, context, route)
        except UnknownEvent:
            raise
        except Exception as error:  # noqa: BLE001  the boundary to callers: `fail` logs it
            response = self.scorer.fail(error, route[1])
        if len(response.body) >= SMALLEST_COMPRESSED_BYTES and accepts_binary(event):
            from serinus.lambda_handlers.inference.encodings import encode_response  # for long responses

            response = encode_response(response, read_header(event, "accept-encoding"))
        written = write_response(event, response)
        if self._cors is not None:
            self._cors.mark(event, written["headers"])
        return written

    def close(self) -> None:
        """Close the application, if it was opened. Lambda never calls this: the process ends with its endpoint."""
        if self._app is not None:
            self._app.close()

    def _answer(self, event: Event, context: object, route: Route) -> Response:
        if self.scorer.observer is not None:
            self.scorer.observer.routed(self._route_name(route))
        body = read_body(event)
        if coding := read_header(event, "content-encoding"):
            from serinus.lambda_handlers.inference.encodings import decode_body  # for compressed bodies

            body = decode_body(body, coding, self.scorer.limits.max_body_bytes)
        if self._hot_route:
            if route == PREDICT:
                return self.scorer.predict(body, read_header(event, "content-type"))
            if route == EXPLAIN and self.scorer.explain_limits is not None:
                return self.scorer.explain(body, read_header(event, "content-type"))
            if route[0] == "POST" and (respond := self._protocol(route)):
                return respond(Request(body, partial(read_header, event)))
        return self._open_app()(event, context, route[1], body)  # type: ignore[no-any-return]

    def _protocol(self, route: Route) -> Callable[[Request], Response] | None:
        """The handler of a protocols' route, None for other routes; the protocols are loaded on first use."""
        if not is_protocol_path(route[1]):
            return None
        if self._protocols is None:
            from serinus.lambda_handlers.inference.protocols.routes import compile_routes

            self._protocols = compile_routes(self.scorer)
        return self._protocols.get(route)

    def _route_name(self, route: Route) -> str:
        """The route's name in the log, "other" for paths that callers make up."""
        exists = (
            route in OWN_ROUTES
            or (route == EXPLAIN and self.scorer.explain_limits is not None)
            or self._protocol(route) is not None
        )
        return " ".join(route) if exists else "other"

    def _open_app(self) -> Any:
        if self._app is None:
            # Imports FastAPI, several times the cost of all else here: only when needed.
            from serinus.lambda_handlers.inference.asgi import AsgiApp

            self._app = AsgiApp(self.scorer, docs=self._docs, auth=self._auth)
        return self._app


def is_protocol_path(path: str) -> bool:
    """Whether ``path`` may be a route of the `protocols`."""
    return path.startswith(OPEN_INFERENCE) or path in _PROTOCOL_PATHS


def open_endpoint(environ: Mapping[str, str]) -> Endpoint:
    """The endpoint that the environment describes, its model opened and run once. Raises `ContractError` if the
    bundle cannot be served and `BadSetting` for an invalid variable."""
    model = open_model(
        find_model_folder(environ), memory_mb=int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0"))
    )
    explain_limits = ExplainLimits.from_environment(environ)
    if explain_limits is not None and not holds(model.folder, BACKGROUND):
        raise ContractError(f"explanations are on, but the bundle holds no {BACKGROUND}. Package the model again.")
    function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
    scorer = Scorer(model, Limits.from_environment(environ), function_version, explain_limits)
    run_once(scorer)
    return Endpoint(
        scorer,
        Cors.from_environment(environ),
        docs=environ.get(ENV_DOCS) == "1",
        auth=read_auth(environ),
        hot_route=environ.get(ENV_HOT_ROUTE, "1") != "0",
    )


def read_auth(environ: Mapping[str, str]) -> str:
    """How callers authenticate; raises `BadSetting` for an unknown kind."""
    auth = environ.get(ENV_AUTH) or AUTH_KINDS[0]
    if auth not in AUTH_KINDS:
        raise BadSetting(f"{ENV_AUTH} is {auth!r}; it must be one of {', '.join(AUTH_KINDS)}.")
    return auth


def run_once(scorer: Scorer) -> None:
    """Score the first golden row, so that the first caller does not wait for one-time work; raises
    `ContractError` if the model cannot score it."""
    body = msgspec.json.encode({"rows": read_golden(scorer.model.folder).rows[:1]})
    response = scorer.predict(body, None)
    if response.status != 200:
        raise ContractError(
            f"the model cannot score its own golden set: {response.body.decode()}. Package the model again."
        )
