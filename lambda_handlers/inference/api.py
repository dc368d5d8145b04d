"""The FastAPI application: the endpoint's face.

POST /predict        predictions, by the same `scoring` as the hot route
GET  /model          signature, versions and limits
GET  /health         whether the model answers
GET  /docs           a page to read and try; GET /openapi.json its source: both only where switched on
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec
import onnxruntime
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from lambda_handlers.inference import problems
from lambda_handlers.inference.docs_page import CONTENT_SECURITY_POLICY, render_docs
from lambda_handlers.inference.openapi import describe
from lambda_handlers.inference.problems import Problem
from lambda_handlers.inference.scoring import Answer, Scorer

#: Key under which the event's request context tells stage or base path; see `face.prepare`.
ROOT_KEY = "serinus.root"


def create_api(scorer: Scorer, *, docs: bool) -> FastAPI:
    """The application for one model. FastAPI's own documentation routes are off: they need another host."""
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
    if docs:
        _add_docs(api, scorer)
    return api


def _add_prediction(api: FastAPI, scorer: Scorer) -> None:
    @api.post("/predict")
    async def predict(request: Request) -> Response:
        return _respond(scorer.predict(await request.body(), _content_type(request)))


def _add_reports(api: FastAPI, scorer: Scorer) -> None:
    manifest = scorer.model.manifest

    @api.get("/health")
    async def health() -> Response:
        return _report(scorer, {"status": "ok", "model": manifest.name, "version": manifest.short_version})

    @api.get("/model")
    async def model() -> Response:
        return _report(
            scorer,
            {
                "model": manifest.name,
                "version": manifest.version,
                "framework": manifest.framework,
                "precision": manifest.precision,
                "signature": manifest.signature.to_json(),
                "limits": asdict(scorer.limits),
                "versions": {"function": scorer.function_version, "onnxruntime": onnxruntime.__version__},
            },
        )


def _add_docs(api: FastAPI, scorer: Scorer) -> None:
    @api.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        return _report(scorer, describe(scorer, _root(request)))

    @api.get("/docs")
    async def docs(request: Request) -> Response:
        page = render_docs(describe(scorer, _root(request)))
        headers = {"content-security-policy": CONTENT_SECURITY_POLICY, **scorer.signals}
        return Response(page, media_type="text/html", headers=headers)


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
        return _respond(scorer.refuse(problem), headers)

    @api.exception_handler(Exception)
    async def fail(_request: Request, _error: Exception) -> Response:
        """Starlette raises the error again once this is sent; Mangum then logs it."""
        return _respond(scorer.refuse(problems.internal_error()))


def _content_type(request: Request) -> str | None:
    """The header as the hot route reads it; Starlette would decode it as Latin-1."""
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            return bytes(value).decode("utf-8", "replace")
    return None


def _root(request: Request) -> str:
    event: Mapping[str, Any] = request.scope.get("aws.event", {"requestContext": {}})
    return str(event["requestContext"].get(ROOT_KEY, request.scope["root_path"]))


def _report(scorer: Scorer, data: Mapping[str, Any]) -> Response:
    return _respond(scorer.report(msgspec.json.encode(data)))


def _respond(answer: Answer, more_headers: Mapping[str, str] | None = None) -> Response:
    return Response(answer.body, answer.status, headers={**answer.headers, **(more_headers or {})})
