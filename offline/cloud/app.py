"""The front door: one ASGI application that routes AWS calls, gateway requests and its own API.

/_gateway/{api}/...             a deployed API; also by Host: {api}.execute-api.*, or a custom domain
/_offline/                      a page that shows what runs here; see `serinus.offline.console`
/_offline/health                whether the cloud is up: open to anyone
/_offline/...                   this cloud's own API (clock, faults): not part of AWS, for the cloud's owner alone
anything else                   an AWS API call; the service is read from its signature

Deployed APIs have authorization and CORS of their own; all else is behind the `Guard`.
"""

import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from serinus.offline.cloud import clock_api
from serinus.offline.cloud.aws_api import AwsApi
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.cloud.custom_domain_route import CustomDomainRoute
from serinus.offline.cloud.deployed_apis import DeployedApis
from serinus.offline.cloud.guard import Guard
from serinus.offline.cloud.owner_only import OwnerOnly
from serinus.offline.console import routes as console
from serinus.offline.console.routes import OWN_API
from serinus.offline.console.sources import Sources
from serinus.offline.services.apigatewayv2.serving import issuer_api


def create_app(cloud: Cloud) -> Starlette:
    """The application of ``cloud``, whose lifespan starts and stops the cloud."""

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

    async def readings(_request: Request) -> Response:
        return JSONResponse(cloud.config.readings.as_json())

    apis = DeployedApis(cloud)
    services = cloud.services.by_name.values()
    sources = Sources(
        rest_apis=cloud.services.apigateway,
        http_apis=cloud.services.apigatewayv2,
        functions=cloud.services.lambda_,
        alarms=cloud.services.cloudwatch,
        deployments=cloud.services.codedeploy,
        stacks=cloud.services.cloudformation,
    )
    owners = Router(
        [
            *console.routes(cloud, sources, apis.requests),
            *clock_api.routes(cloud.clock),
            Route("/_offline/readings", readings),
            *issuer_api.routes(apis.issuers),
            *cloud.authorizer.routes(),
            *(route for service in services for route in service.routes()),
        ]
    )
    inner = Router(
        [
            Route("/_offline/health", health),
            *console.open_routes(),
            *(route for service in services for route in service.open_routes()),
            PathPrefix(OWN_API, OwnerOnly(owners, cloud.authenticator, cloud.config.root_key)),
            PathPrefix("", AwsApi(cloud)),
        ]
    )
    return Starlette(
        routes=[
            CustomDomainRoute(apis),
            Host("{api}.execute-api.{suffix}", app=apis),
            Mount("/_gateway", app=apis),
            PathPrefix("", Guard(inner, cloud.config.host)),
        ],
        lifespan=lifespan,
    )


class PathPrefix(BaseRoute):
    """Matches every path below ``root``, whole and with any characters, line ends included."""

    def __init__(self, root: str, app: ASGIApp) -> None:
        self._root, self._app = root, app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = scope["path"]
        below = scope["type"] == "http" and (path == self._root or path.startswith(f"{self._root}/"))
        return (Match.FULL if below else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NotImplementedError(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
