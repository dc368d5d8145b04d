"""The front door: one ASGI application that tells AWS calls, gateway requests and its own API apart.

/_offline/                      a page that shows what runs here; see `offline.console`
/_offline/...                   this cloud's own API (health, clock, faults): not part of AWS
/_gateway/{api}/...             a deployed API; also by Host: {api}.execute-api.*, or a custom domain
anything else                   an AWS API call; the service is read from its signature
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

from a2wsgi import WSGIMiddleware
from moto.core.request import Request as MotoRequest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Mount, Route
from starlette.types import Receive, Scope, Send

from offline import clock_api
from offline.cloud.cloud import Cloud
from offline.console import routes as console
from offline.console.guard import Guard
from offline.errors import AwsError, NotModelled
from offline.gateway.app import Gateway
from offline.gateway.domain_route import DomainRoute
from offline.gateway.http import issuer_api
from offline.services import MOTO_SERVICES
from offline.wire.service import SCOPE

#: Names under which requests are signed, where they differ from botocore's service name.
SIGNED_AS = {"monitoring": "cloudwatch", "states": "stepfunctions"}


def create_app(cloud: Cloud) -> Starlette:
    """The application for ``cloud``; it starts and stops the cloud with itself."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await cloud.start()
        try:
            yield
        finally:
            await cloud.stop()

    async def health(_request: Request) -> Response:
        return JSONResponse(
            {
                "status": "ready",
                "pid": os.getpid(),
                "account_id": cloud.config.account_id,
                "region": cloud.config.region,
                "clock_factor": cloud.clock.factor,
                "cloud_time": cloud.clock.now().isoformat(),
            }
        )

    gateway = Gateway(cloud)
    return Starlette(
        routes=[
            DomainRoute(gateway),
            Host("{api}.execute-api.{suffix}", app=gateway),
            Mount("/_gateway", app=gateway),
            Route("/_offline/health", health),
            *console.routes(cloud, gateway.recent),
            *clock_api.routes(cloud),
            *issuer_api.routes(gateway.issuers),
            *cloud.authorizer.routes(),
            *(route for service in cloud.services.values() for route in service.routes()),
            Mount("/", app=AwsApi(cloud)),
        ],
        middleware=[Middleware(Guard, host=cloud.config.host)],
        lifespan=lifespan,
    )


class AwsApi:
    """Hands each signed call to the service it is for: ours first, then moto's."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        moto: Any = DomainDispatcherApplication(create_backend_app)
        self.moto = WSGIMiddleware(moto, workers=32)
        # Its IAM goes through all roles for each call, and fails where another thread makes one meanwhile.
        self._iam = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        match = SCOPE.search(request.headers.get("authorization", ""))
        signed_as = match["service"] if match else "s3"
        service = self.cloud.services.get(service_of(signed_as, request.url.path))
        if service is None and signed_as not in MOTO_SERVICES:
            await refuse(NotModelled(f"the service {signed_as}"))(scope, receive, send)
            return
        session = self.cloud.authorizer.session(match["key"]) if match else None
        if match is not None and (service is not None or session is not None):
            body = await request.body()
            receive = replay(body)
            normalized = MotoRequest.from_primitives(
                request.method, str(request.url), dict(request.headers.items()), body
            )
            try:
                answer = (
                    self.cloud.authorizer.refusal(session, normalized, signed_as, match["region"])
                    if session
                    else None
                )
                if answer is None and service is not None:
                    answer = await service.answer(normalized, match["region"], match["key"])
            except AwsError as error:
                await refuse(error)(scope, receive, send)
                return
            if answer is not None:
                await Response(answer.body, answer.status, answer.headers)(scope, receive, send)
                return
        async with self._iam if signed_as == "iam" else contextlib.nullcontext():
            await self.moto(scope, receive, send)


def service_of(signed_as: str, path: str) -> str:
    """Botocore's name of the service that a call is for: HTTP APIs sign as REST APIs do, below another path."""
    if signed_as == "apigateway" and path.startswith("/v2/"):
        return "apigatewayv2"
    return SIGNED_AS.get(signed_as, signed_as)


def refuse(error: AwsError) -> Response:
    """An error outside of any operation's model, readable by every AWS client."""
    return JSONResponse(
        {"__type": error.code, "message": error.message},
        status_code=error.status or 400,
        headers={"x-amzn-errortype": error.code},
    )


def replay(body: bytes) -> Receive:
    """A receive channel that hands out a body which was read already."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
