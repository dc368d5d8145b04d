"""The FastAPI application: the endpoint's face.

POST /predict        predictions, by the same `scoring` as the hot route
GET  /model          signature, versions and limits
GET  /health         whether the model answers
     /v2..., /ping, /invocations   what the `protocols` add
GET  /docs           a page to read and try; GET /openapi.json its source: both only where switched on
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import onnxruntime
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from serinus.lambda_handlers.inference import problems
from serinus.lambda_handlers.inference.http import Call
from serinus.lambda_handlers.inference.problems import Problem
from serinus.lambda_handlers.inference.protocols.model_metadata import DESCRIPTION_KEEP_S
from serinus.lambda_handlers.inference.protocols.routes import Respond, compile_routes
from serinus.lambda_handlers.inference.scoring import Answer, Scorer, cache_control

#: Key under which the event's request context tells stage or base path; see `face.prepare`.
ROOT_KEY = "serinus.root"


def create_api(scorer: Scorer, *, docs: bool, auth: str) -> FastAPI:
    """The application for one model, whose documentation says that callers are let in by ``auth``, one of
    `signals.AUTH_KINDS`. FastAPI's own documentation routes are off: they need another host."""
    api = FastAPI(
        title=scorer.model.manifest.name,
        version=scorer.model.manifest.short_version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    _answer_errors(api, scorer)
    _add_prediction(api, scorer)
    _add_reports(api, scorer)
    _add_protocols(api, scorer)
    if docs:
        _add_docs(api, scorer, auth)
    return api


def _add_prediction(api: FastAPI, scorer: Scorer) -> None:
    @api.post("/predict")
    async def predict(request: Request) -> Response:
        return _respond(scorer.predict(await request.body(), _header(request, "content-type")))


def _add_reports(api: FastAPI, scorer: Scorer) -> None:
    manifest = scorer.model.manifest

    @api.get("/health")
    async def health() -> Response:
        told = {"status": "ok", "model": manifest.name, "version": manifest.short_version}
        return _respond(scorer.report(told))

    @api.get("/model")
    async def model() -> Response:
        told = {
            "model": manifest.name,
            "version": manifest.version,
            "framework": manifest.framework,
            "precision": manifest.precision,
            "signature": manifest.signature.to_json(),
            "limits": scorer.limits._asdict(),
            "versions": {"function": scorer.function_version, "onnxruntime": onnxruntime.__version__},
        }
        return _respond(scorer.report(told, keep_s=DESCRIPTION_KEEP_S))


def _add_protocols(api: FastAPI, scorer: Scorer) -> None:
    for (method, path), respond in compile_routes(scorer).items():
        api.add_api_route(path, _asked(respond), methods=[method])


def _asked(respond: Respond) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return _respond(respond(Call(await request.body(), partial(_header, request))))

    return answer


def _add_docs(api: FastAPI, scorer: Scorer, auth: str) -> None:
    # Here, because init without docs does without them: 6 ms.
    from serinus.lambda_handlers.inference.docs_page import CONTENT_SECURITY_POLICY, render_docs
    from serinus.lambda_handlers.inference.openapi import describe

    @api.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        return _respond(scorer.report(describe(scorer, _root(request), auth), keep_s=DESCRIPTION_KEEP_S))

    @api.get("/docs")
    async def docs(request: Request) -> Response:
        page = render_docs(describe(scorer, _root(request), auth))
        headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": CONTENT_SECURITY_POLICY}
        keep = {"cache-control": cache_control(DESCRIPTION_KEEP_S)}
        return Response(page, headers={**headers, **scorer.signals, **keep})


def _answer_errors(api: FastAPI, scorer: Scorer) -> None:
    @api.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        match error.status_code:
            case 404:
                problem = problems.not_found(request.scope["path"])
            case 405:
                problem = problems.method_not_allowed(request.method, headers.get("Allow", ""))
            case status:
                problem = Problem("about:blank", error.detail, status, error.detail)
        return _respond(scorer.refuse(problem, request.scope["path"]), headers)

    @api.exception_handler(Exception)
    async def fail(request: Request, _error: Exception) -> Response:
        """Starlette raises the error again once this is sent; Mangum then logs it."""
        return _respond(scorer.refuse(problems.internal_error(), request.scope["path"]))


def _header(request: Request, sought: str) -> str | None:
    """The header as the hot route reads it; Starlette would decode it as Latin-1."""
    for name, value in request.scope["headers"]:
        if name == sought.encode():
            return bytes(value).decode("utf-8", "replace")
    return None


def _root(request: Request) -> str:
    event: Mapping[str, Any] = request.scope.get("aws.event", {"requestContext": {}})
    return str(event["requestContext"].get(ROOT_KEY, request.scope["root_path"]))


def _respond(answer: Answer, more_headers: Mapping[str, str] | None = None) -> Response:
    return Response(answer.body, answer.status, headers={**answer.headers, **(more_headers or {})})
