"""Every route of the protocols, by method and exact path: the model is known, so no path has parameters.

Endpoint (hot) and face both answer from this table. It is made when a first request needs it.
"""

from collections.abc import Callable, Mapping
from functools import partial

from serinus.lambda_handlers.inference.http import Call
from serinus.lambda_handlers.inference.protocols.infer import Infer
from serinus.lambda_handlers.inference.protocols.invocations import Invocations
from serinus.lambda_handlers.inference.protocols.model_metadata import (
    DESCRIPTION_KEEP_S,
    describe_model,
    describe_server,
)
from serinus.lambda_handlers.inference.scoring import Answer, Scorer

Respond = Callable[[Call], Answer]
Routes = Mapping[tuple[str, str], Respond]


def compile_routes(scorer: Scorer) -> Routes:
    """What answers each (method, path)."""
    return {**_open_inference(scorer), **_mlflow(scorer)}


def model_paths(scorer: Scorer) -> tuple[str, ...]:
    """Paths of the model in the Open Inference Protocol: of whichever version serves, then of this one, whose
    version may be written short or in full."""
    manifest = scorer.model.manifest
    model = f"/v2/models/{manifest.name}"
    return (model, f"{model}/versions/{manifest.short_version}", f"{model}/versions/{manifest.version}")


def _open_inference(scorer: Scorer) -> dict[tuple[str, str], Respond]:
    manifest = scorer.model.manifest
    routes: dict[tuple[str, str], Respond] = {
        ("GET", "/v2"): partial(_describe, scorer, describe_server(scorer)),
        ("GET", "/v2/health/live"): partial(_say, scorer, {"live": True}),
        ("GET", "/v2/health/ready"): partial(_say, scorer, {"ready": True}),
    }
    for path in model_paths(scorer):
        routes["GET", path] = partial(_describe, scorer, describe_model(manifest))
        routes["GET", f"{path}/ready"] = partial(_say, scorer, {"name": manifest.name, "ready": True})
        routes["POST", f"{path}/infer"] = Infer(scorer)
    return routes


def _mlflow(scorer: Scorer) -> dict[tuple[str, str], Respond]:
    return {
        ("GET", "/ping"): partial(_say, scorer, {"status": "ok"}),
        ("POST", "/invocations"): Invocations(scorer),
    }


def _describe(scorer: Scorer, data: object, _call: Call) -> Answer:
    return scorer.report(data, keep_s=DESCRIPTION_KEEP_S)


def _say(scorer: Scorer, data: object, _call: Call) -> Answer:
    return scorer.report(data)
