"""Compiles an HTTP API's stage for serving: its deployment as a router, every document read once."""

from dataclasses import dataclass
from typing import Any

from serinus.offline.core.ports import FunctionInvoker
from serinus.offline.http.access_log import AccessLog
from serinus.offline.http.api_documents import Document
from serinus.offline.http.function_call import FunctionCall
from serinus.offline.http.lambda_uri import arn_target
from serinus.offline.http.limits import Limit
from serinus.offline.http.routing import Router
from serinus.offline.services.apigatewayv2.integrations import lambda_of
from serinus.offline.services.apigatewayv2.published import PublishedHttpStage
from serinus.offline.services.apigatewayv2.serving.cors import Cors
from serinus.offline.services.apigatewayv2.serving.integration import LambdaIntegration
from serinus.offline.services.apigatewayv2.serving.issuer import Issuers
from serinus.offline.services.apigatewayv2.serving.jwt_authorizer import JwtAuthorizer


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """One route; ``integration`` is None if it has none yet."""

    key: str
    path: str
    signed: bool
    authorizer: JwtAuthorizer | None
    scopes: tuple[str, ...]
    throttle: Limit | None
    detailed_metrics: bool
    integration: LambdaIntegration | None

    @property
    def guarded(self) -> bool:
        return self.signed or self.authorizer is not None


@dataclass(frozen=True, slots=True)
class HttpStage:
    """A compiled stage."""

    region: str
    account_id: str
    api_id: str
    name: str
    domain_name: str
    variables: dict[str, str]
    router: Router[HttpRoute]
    default: HttpRoute | None
    cors: Cors | None
    access_log: AccessLog | None
    endpoint_disabled: bool

    @property
    def arn(self) -> str:
        """The stage as execute-api names it."""
        return f"arn:aws:execute-api:{self.region}:{self.account_id}:{self.api_id}/{self.name}"


def compile_stage(
    published: PublishedHttpStage, account_id: str, functions: FunctionInvoker, issuers: Issuers
) -> HttpStage:
    """The stage ``published``, compiled for serving."""
    api, stage = published.api, published.stage
    router: Router[HttpRoute] = Router(trailing_slash_counts=True)
    default = None
    for route in routes_of(published, functions, issuers):
        if route.key == "$default":
            default = route
        else:
            router.add(route.path, route.key.partition(" ")[0], route)
    log = stage.get("AccessLogSettings") or {}
    return HttpStage(
        region=published.region,
        account_id=account_id,
        api_id=api["ApiId"],
        name=stage["StageName"],
        domain_name=f"{api['ApiId']}.execute-api.{published.region}.amazonaws.com",
        variables=stage.get("StageVariables") or {},
        router=router,
        default=default,
        cors=Cors(api["CorsConfiguration"]) if api.get("CorsConfiguration") else None,
        access_log=AccessLog.of(stage["StageName"], log.get("DestinationArn"), log.get("Format")),
        endpoint_disabled=bool(api.get("DisableExecuteApiEndpoint")),
    )


def routes_of(published: PublishedHttpStage, functions: FunctionInvoker, issuers: Issuers) -> list[HttpRoute]:
    deployment = published.deployment
    if deployment is None:
        return []
    authorizers = {
        identity: JwtAuthorizer(document, issuers) for identity, document in deployment.authorizers.items()
    }
    integrations = {
        f"integrations/{identity}": compile_integration(document, published.stage, functions)
        for identity, document in deployment.integrations.items()
    }
    return [
        compile_route(route, published.stage, authorizers, integrations) for route in deployment.routes.values()
    ]


def compile_route(
    route: Document,
    stage: Document,
    authorizers: dict[str, JwtAuthorizer],
    integrations: dict[str, LambdaIntegration],
) -> HttpRoute:
    key = route["RouteKey"]
    settings = route_settings(stage, key)
    rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
    limited = {"rateLimit": rate, "burstLimit": burst} if (rate, burst) != (None, None) else None
    return HttpRoute(
        key=key,
        path=key if key == "$default" else key.partition(" ")[2],
        signed=route["AuthorizationType"] == "AWS_IAM",
        authorizer=authorizers.get(route.get("AuthorizerId") or ""),
        scopes=tuple(route.get("AuthorizationScopes") or ()),
        throttle=Limit.of_plan(limited),
        detailed_metrics=bool(settings.get("DetailedMetricsEnabled")),
        integration=integrations.get(route.get("Target") or ""),
    )


def route_settings(stage: Document, key: str) -> dict[str, Any]:
    """The stage's default settings, overridden by the route's own."""
    own = (stage.get("RouteSettings") or {}).get(key) or {}
    return {**(stage.get("DefaultRouteSettings") or {}), **own}


def compile_integration(document: Document, stage: Document, functions: FunctionInvoker) -> LambdaIntegration:
    target = arn_target(lambda_of(document) or "", stage.get("StageVariables") or {})
    timeout_s = document["TimeoutInMillis"] / 1000
    function = FunctionCall(functions, target, timeout_s, by_role=bool(document.get("CredentialsArn")))
    return LambdaIntegration(function, document["PayloadFormatVersion"])
