"""The function's one endpoint: takes an event, by the hot route or the face, and gives the proxy answer."""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from lambda_handlers.contract.bundle import read_golden
from lambda_handlers.contract.errors import ContractError
from lambda_handlers.contract.model_layer import find_model_folder
from lambda_handlers.contract.signals import ENV_DOCS, ENV_HOT_ROUTE
from lambda_handlers.inference import problems
from lambda_handlers.inference.cors import Cors
from lambda_handlers.inference.errors import Refused, UnknownEvent
from lambda_handlers.inference.events import (
    Event,
    read_body,
    read_header,
    read_route,
    write_answer,
)
from lambda_handlers.inference.limits import Limits
from lambda_handlers.inference.scoring import Scorer
from lambda_handlers.inference.session import open_model

log = logging.getLogger(__name__)


class Endpoint:
    """Callable as a Lambda handler is: ``endpoint(event, context)``."""

    def __init__(self, scorer: Scorer, cors: Cors, *, docs: bool, hot_route: bool) -> None:
        self.scorer = scorer
        self._cors = cors
        self._docs = docs
        self._hot_route = hot_route
        self._face: Any = None
        if not hot_route:
            self._open_face()

    def __call__(self, event: Event, context: object) -> Event:
        """The proxy answer to a proxy event; raises `UnknownEvent` for any other. Whatever else fails is
        answered with status 500 and logged."""
        answer = self._guard(event, context)
        if self._cors:
            self._cors.mark(event, answer["headers"])
        return answer

    def close(self) -> None:
        """Let go of what the face holds. Lambda never calls this: the process ends with its endpoint."""
        if self._face is not None:
            self._face.close()

    def _guard(self, event: Event, context: object) -> Event:
        try:
            return self._answer(event, context)
        except Refused as refused:
            return write_answer(event, self.scorer.refuse(refused.problem))
        except UnknownEvent:
            raise
        except Exception:  # the boundary to callers, who must not see why
            log.exception("request failed")
            return write_answer(event, self.scorer.refuse(problems.internal_error()))

    def _answer(self, event: Event, context: object) -> Event:
        route = read_route(event)
        body = read_body(event)
        if self._hot_route and route.path == "/predict" and route.method == "POST":
            return write_answer(event, self.scorer.predict(body, read_header(event, "content-type")))
        return self._open_face()(event, context, route)  # type: ignore[no-any-return]

    def _open_face(self) -> Any:
        if self._face is None:
            # Imports FastAPI, several times what all else here costs: only for who needs it.
            from lambda_handlers.inference.face import Face

            self._face = Face(self.scorer, docs=self._docs)
        return self._face


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
        hot_route=environ.get(ENV_HOT_ROUTE, "1") != "0",
    )


def run_once(scorer: Scorer) -> None:
    """Answer the first golden row, so that the first caller does not pay for what happens only once; raises
    `ContractError` where the model cannot answer it."""
    body = msgspec.json.encode({"rows": read_golden(scorer.model.folder).rows[:1]})
    answer = scorer.predict(body, None)
    if answer.status != 200:
        raise ContractError(
            f"the model cannot answer its own golden set: {answer.body.decode()}. Package the model again."
        )
