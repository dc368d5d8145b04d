"""The function's one endpoint: takes an event, by the hot route or the face, and gives the proxy answer."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.contract.model_layer import find_model_folder
from serinus.lambda_handlers.contract.signals import AUTH_KINDS, ENV_AUTH, ENV_DOCS, ENV_HOT_ROUTE
from serinus.lambda_handlers.inference.cors import Cors
from serinus.lambda_handlers.inference.errors import BadSetting, UnknownEvent
from serinus.lambda_handlers.inference.events import (
    Event,
    Route,
    read_body,
    read_header,
    read_route,
    takes_binary,
    write_answer,
)
from serinus.lambda_handlers.inference.http import Call
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Answer, Scorer
from serinus.lambda_handlers.inference.session import open_model

#: Shorter answers fit one packet anyway.
SMALLEST_COMPRESSED_BYTES = 1024
_PREDICT: Route = ("POST", "/predict")
_OWN_ROUTES = frozenset(
    {
        _PREDICT,
        ("GET", "/health"),
        ("GET", "/model"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
    }
)


class Endpoint:
    """Callable as a Lambda handler is: ``endpoint(event, context)``."""

    def __init__(self, scorer: Scorer, cors: Cors, *, docs: bool, auth: str, hot_route: bool) -> None:
        self.scorer = scorer
        self._cors = cors if cors else None
        self._docs = docs
        self._auth = auth
        self._hot_route = hot_route
        self._face: Any = None
        self._protocols: Mapping[tuple[str, str], Callable[[Call], Answer]] | None = None
        if not hot_route:
            self._open_face()

    def __call__(self, event: Event, context: object) -> Event:
        """The proxy answer to a proxy event; raises `UnknownEvent` for any other. Whatever else fails is
        answered with status 500 and logged."""
        route = read_route(event)
        try:
            answer = self._answer(event, context, route)
        except UnknownEvent:
            raise
        except Exception as error:  # noqa: BLE001  the boundary to callers: `fail` logs it
            answer = self.scorer.fail(error, route[1])
        if len(answer.body) >= SMALLEST_COMPRESSED_BYTES and takes_binary(event):
            from serinus.lambda_handlers.inference.encodings import encode_answer  # for long answers

            answer = encode_answer(answer, read_header(event, "accept-encoding"))
        written = write_answer(event, answer)
        if self._cors is not None:
            self._cors.mark(event, written["headers"])
        return written

    def close(self) -> None:
        """Let go of what the face holds. Lambda never calls this: the process ends with its endpoint."""
        if self._face is not None:
            self._face.close()

    def _answer(self, event: Event, context: object, route: Route) -> Answer:
        if self.scorer.observer is not None:
            self.scorer.observer.routed(self._route_name(route))
        body = read_body(event)
        if coding := read_header(event, "content-encoding"):
            from serinus.lambda_handlers.inference.encodings import decode_body  # for who compresses

            body = decode_body(body, coding, self.scorer.limits.max_body_bytes)
        if self._hot_route:
            if route == _PREDICT:
                return self.scorer.predict(body, read_header(event, "content-type"))
            if route[0] == "POST" and (respond := self._protocol(route)):
                return respond(Call(body, partial(read_header, event)))
        return self._open_face()(event, context, route[1], body)  # type: ignore[no-any-return]

    def _protocol(self, route: Route) -> Callable[[Call], Answer] | None:
        """What answers a route of the protocols, which are loaded with the first of them."""
        if not is_protocol_path(route[1]):
            return None
        if self._protocols is None:
            from serinus.lambda_handlers.inference.protocols.routes import compile_routes

            self._protocols = compile_routes(self.scorer)
        return self._protocols.get(route)

    def _route_name(self, route: Route) -> str:
        """The route, if it is one: a log holds nothing that callers make up."""
        known = route in _OWN_ROUTES or self._protocol(route) is not None
        return " ".join(route) if known else "other"

    def _open_face(self) -> Any:
        if self._face is None:
            # Imports FastAPI, several times what all else here costs: only for who needs it.
            from serinus.lambda_handlers.inference.asgi import Face

            self._face = Face(self.scorer, docs=self._docs, auth=self._auth)
        return self._face


def is_protocol_path(path: str) -> bool:
    """Whether ``path`` may be a route of the `protocols`."""
    return path.startswith("/v2") or path in ("/invocations", "/ping")


def open_endpoint(environ: Mapping[str, str]) -> Endpoint:
    """The endpoint that the environment describes, its model opened and run once. Raises `ContractError` where
    the bundle cannot be served and `BadSetting` for an unreadable variable."""
    model = open_model(
        find_model_folder(environ), memory_mb=int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0"))
    )
    scorer = Scorer(model, Limits.from_environment(environ), environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"))
    run_once(scorer)
    return Endpoint(
        scorer,
        Cors.from_environment(environ),
        docs=environ.get(ENV_DOCS) == "1",
        auth=read_auth(environ),
        hot_route=environ.get(ENV_HOT_ROUTE, "1") != "0",
    )


def read_auth(environ: Mapping[str, str]) -> str:
    """How callers are let in; raises `BadSetting` for a kind that is not known."""
    auth = environ.get(ENV_AUTH) or AUTH_KINDS[0]
    if auth not in AUTH_KINDS:
        raise BadSetting(f"{ENV_AUTH} is {auth!r}; it must be one of {', '.join(AUTH_KINDS)}.")
    return auth


def run_once(scorer: Scorer) -> None:
    """Answer the first golden row, so that the first caller does not pay for what happens only once; raises
    `ContractError` where the model cannot answer it."""
    body = msgspec.json.encode({"rows": read_golden(scorer.model.folder).rows[:1]})
    answer = scorer.predict(body, None)
    if answer.status != 200:
        raise ContractError(
            f"the model cannot answer its own golden set: {answer.body.decode()}. Package the model again."
        )
