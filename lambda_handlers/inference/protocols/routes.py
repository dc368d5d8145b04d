"""Every route of the protocols, by method and exact path: the model is known, so no path has parameters.

Hot route and FastAPI application share this table. It is built when a first request needs it.
"""

from collections.abc import Callable, Mapping
from functools import partial

from serinus.lambda_handlers.inference.http import INVOCATIONS, OPEN_INFERENCE, PING, Request, Route
from serinus.lambda_handlers.inference.protocols.infer import Infer
from serinus.lambda_handlers.inference.protocols.invocations import Invocations
from serinus.lambda_handlers.inference.protocols.model_metadata import (
    DESCRIPTION_KEEP_S,
    describe_configuration,
    describe_model,
    describe_repository,
    describe_server,
)
from serinus.lambda_handlers.inference.scoring import Response, Scorer

Respond = Callable[[Request], Response]
Routes = Mapping[Route, Respond]


def compile_routes(scorer: Scorer) -> Routes:
    """The handler of each route."""
    return {**_open_inference(scorer), **_mlflow(scorer)}


def model_paths(scorer: Scorer) -> tuple[str, ...]:
    """Paths of the model in the Open Inference Protocol: without a version, then with this one's, short and in
    full."""
    manifest = scorer.model.manifest
    model = f"{OPEN_INFERENCE}/models/{manifest.name}"
    return (model, f"{model}/versions/{manifest.short_version}", f"{model}/versions/{manifest.version}")


def _open_inference(scorer: Scorer) -> dict[Route, Respond]:
    manifest = scorer.model.manifest
    routes: dict[Route, Respond] = {
        ("GET", OPEN_INFERENCE): partial(_describe, scorer, describe_server(scorer)),
        ("GET", f"{OPEN_INFERENCE}/health/live"): partial(_report, scorer, {"live": True}),
        ("GET", f"{OPEN_INFERENCE}/health/ready"): partial(_report, scorer, {"ready": True}),
        ("POST", f"{OPEN_INFERENCE}/repository/index"): partial(_report, scorer, describe_repository(manifest)),
    }
    for path in model_paths(scorer):
        routes["GET", path] = partial(_describe, scorer, describe_model(manifest))
        routes["GET", f"{path}/config"] = partial(_describe, scorer, describe_configuration(scorer))
        routes["GET", f"{path}/ready"] = partial(_report, scorer, {"name": manifest.name, "ready": True})
        routes["POST", f"{path}/infer"] = Infer(scorer)
    return routes


def _mlflow(scorer: Scorer) -> dict[Route, Respond]:
    return {PING: partial(_report, scorer, {"status": "ok"}), INVOCATIONS: Invocations(scorer)}


def _describe(scorer: Scorer, data: object, _request: Request) -> Response:
    return scorer.report(data, keep_s=DESCRIPTION_KEEP_S)


def _report(scorer: Scorer, data: object, _request: Request) -> Response:
    return scorer.report(data)
