"""Every deployed API in one ASGI application, which routes a request by the kind of API at its address."""

from starlette.types import Receive, Scope, Send

from serinus.offline.cloud.addressing import Addressing
from serinus.offline.cloud.cloud import Cloud
from serinus.offline.http.gateway_context import GatewayContext
from serinus.offline.http.limits import Throttles
from serinus.offline.http.request_log import RequestLog
from serinus.offline.services.apigateway.serving.app import RestGateway
from serinus.offline.services.apigatewayv2.serving.app import HttpGateway
from serinus.offline.services.apigatewayv2.serving.issuer import Issuers


class DeployedApis:
    """Serves the REST and HTTP APIs of ``cloud``."""

    def __init__(self, cloud: Cloud) -> None:
        services = cloud.services
        self.addressing = Addressing(services.apigatewayv2, services.domains)
        self.requests = RequestLog()
        #: The issuers whose tokens HTTP APIs accept.
        self.issuers = Issuers(cloud.clock)
        context = GatewayContext(
            cloud=cloud,
            functions=services.lambda_,
            metrics=services.cloudwatch,
            credentials=cloud.credentials,
            logs=services.apigateway.logs,
            throttles=Throttles(),
            requests=self.requests,
        )
        self._rest = RestGateway(context, services.apigateway, services.wafv2)
        self._http = HttpGateway(context, services.apigatewayv2, self.issuers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind, address = self.addressing.of(scope) or ("rest", None)
        if kind == "http" and address is not None:
            await self._http(scope, receive, send, address)
        else:
            await self._rest(scope, receive, send, address)
