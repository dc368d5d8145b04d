"""Routes requests whose Host is a custom domain name, whatever their path."""

from typing import Any

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from serinus.offline.cloud.deployed_apis import DeployedApis


class CustomDomainRoute(BaseRoute):
    """Matches requests for the custom domains of ``apis``."""

    def __init__(self, apis: DeployedApis) -> None:
        self._apis = apis

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        taken = scope["type"] == "http" and self._apis.addressing.domain(scope) is not None
        return (Match.FULL if taken else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NotImplementedError(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._apis(scope, receive, send)
