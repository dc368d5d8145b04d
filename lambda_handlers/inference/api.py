"""The FastAPI application: every route of the endpoint (`http`, `protocols.routes`), documentation and errors.

Predictions go through the same `scoring` as on the hot route. GET /docs, a page to read and try, and its source
GET /openapi.json exist only if switched on.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import fastapi
import onnxruntime
from starlette.exceptions import HTTPException

from serinus.lambda_handlers.inference import problems
from serinus.lambda_handlers.inference.http import DOCS, EXPLAIN, HEALTH, MODEL, OPENAPI, PREDICT, Request, Route
from serinus.lambda_handlers.inference.problems import Problem
from serinus.lambda_handlers.inference.protocols.model_metadata import DESCRIPTION_KEEP_S
from serinus.lambda_handlers.inference.protocols.routes import Respond, compile_routes
from serinus.lambda_handlers.inference.scoring import Response, Scorer, cache_control

#: Key under which the event's request context holds the stage or base path; see `asgi.prepare`.
ROOT_KEY = "serinus.root"

#: Makes the function below it the handler of a route.
_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def create_api(scorer: Scorer, *, docs: bool, auth: str) -> fastapi.FastAPI:
    """The application for one model; its documentation names ``auth``, one of `signals.AUTH_KINDS`. FastAPI's own
    documentation routes are off: they need another host."""
    api = fastapi.FastAPI(
        title=scorer.model.manifest.name,
        version=scorer.model.manifest.short_version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    _add_error_handlers(api, scorer)
    _add_prediction(api, scorer)
    _add_reports(api, scorer)
    _add_protocols(api, scorer)
    if docs:
        _add_docs(api, scorer, auth)
    return api


def _on(api: fastapi.FastAPI, route: Route) -> _Decorator:
    method, path = route
    return api.api_route(path, methods=[method])


def _add_prediction(api: fastapi.FastAPI, scorer: Scorer) -> None:
    @_on(api, PREDICT)
    async def predict(request: fastapi.Request) -> fastapi.Response:
        return _respond(scorer.predict(await request.body(), _header(request, "content-type")))

    if scorer.explain_limits is not None:

        @_on(api, EXPLAIN)
        async def explain(request: fastapi.Request) -> fastapi.Response:
            return _respond(scorer.explain(await request.body(), _header(request, "content-type")))


def _add_reports(api: fastapi.FastAPI, scorer: Scorer) -> None:
    manifest = scorer.model.manifest

    @_on(api, HEALTH)
    async def health() -> fastapi.Response:
        report = {"status": "ok", "model": manifest.name, "version": manifest.short_version}
        return _respond(scorer.report(report))

    @_on(api, MODEL)
    async def model() -> fastapi.Response:
        report = {
            "model": manifest.name,
            "version": manifest.version,
            "framework": manifest.framework,
            "precision": manifest.precision,
            "signature": manifest.signature.to_json(),
            "limits": scorer.limits._asdict(),
            "versions": {"function": scorer.function_version, "onnxruntime": onnxruntime.__version__},
        }
        return _respond(scorer.report(report, keep_s=DESCRIPTION_KEEP_S))


def _add_protocols(api: fastapi.FastAPI, scorer: Scorer) -> None:
    for (method, path), respond in compile_routes(scorer).items():
        api.add_api_route(path, _as_route_handler(respond), methods=[method])


def _as_route_handler(respond: Respond) -> Callable[[fastapi.Request], Awaitable[fastapi.Response]]:
    async def handle(request: fastapi.Request) -> fastapi.Response:
        return _respond(respond(Request(await request.body(), partial(_header, request))))

    return handle


def _add_docs(api: fastapi.FastAPI, scorer: Scorer, auth: str) -> None:
    # Imported here, since init without docs does not need them: 6 ms.
    from serinus.lambda_handlers.inference.docs_page import CONTENT_SECURITY_POLICY, render_docs
    from serinus.lambda_handlers.inference.openapi import describe

    @_on(api, OPENAPI)
    async def openapi(request: fastapi.Request) -> fastapi.Response:
        return _respond(scorer.report(describe(scorer, _root(request), auth), keep_s=DESCRIPTION_KEEP_S))

    @_on(api, DOCS)
    async def docs(request: fastapi.Request) -> fastapi.Response:
        page = render_docs(describe(scorer, _root(request), auth))
        headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": CONTENT_SECURITY_POLICY}
        keep = {"cache-control": cache_control(DESCRIPTION_KEEP_S)}
        return fastapi.Response(page, headers={**headers, **scorer.signals, **keep})


def _add_error_handlers(api: fastapi.FastAPI, scorer: Scorer) -> None:
    @api.exception_handler(HTTPException)
    async def refuse(request: fastapi.Request, error: HTTPException) -> fastapi.Response:
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
    async def fail(request: fastapi.Request, _error: Exception) -> fastapi.Response:
        """Starlette raises the error again once this is sent; Mangum then logs it."""
        return _respond(scorer.refuse(problems.internal_error(), request.scope["path"]))


def _header(request: fastapi.Request, sought: str) -> str | None:
    """The header as the hot route reads it; Starlette would decode it as Latin-1."""
    for name, value in request.scope["headers"]:
        if name == sought.encode():
            return bytes(value).decode("utf-8", "replace")
    return None


def _root(request: fastapi.Request) -> str:
    event: Mapping[str, Any] = request.scope.get("aws.event", {"requestContext": {}})
    return str(event["requestContext"].get(ROOT_KEY, request.scope["root_path"]))


def _respond(response: Response, more_headers: Mapping[str, str] | None = None) -> fastapi.Response:
    return fastapi.Response(response.body, response.status, headers={**response.headers, **(more_headers or {})})
