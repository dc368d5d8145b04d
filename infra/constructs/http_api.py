"""The HTTP API in front of an endpoint: all paths go to the function, and `auth` sets how callers authenticate.

It has no keys, quotas, web ACL or X-Ray; it accepts tokens of any issuer, at under a third of a REST API's price.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html
"""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from serinus.infra.constructs.access_log import HTTP_FORMAT, AccessLog
from serinus.infra.constructs.endpoint_metrics import ApiMetrics, http_api_metrics
from serinus.infra.constructs.front import CORS_HOURS, CORS_METHODS, Access
from serinus.infra.names import HTTP_STAGE
from serinus.lambda_handlers.contract.signals import EXPOSED_HEADERS


class HttpFront(Construct):
    """``api`` with its stage, throttled as a whole; ``url`` is its host, since the stage is `$default`. Without
    ``default_host``, that host rejects requests and only a domain leads to the API. ``access_log`` gets
    a line for each call."""

    #: HTTP APIs have none.
    key: None = None

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        backend: lambda_.IFunction,
        access: Access,
        default_host: bool = True,
        access_log: AccessLog | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if access.auth == "api_key":
            raise ValueError('an HTTP API has no keys; auth is "api_key". Use a REST API.')
        self._access = access
        self.api = apigatewayv2.HttpApi(
            self,
            "Api",
            api_name=name,
            create_default_stage=False,
            cors_preflight=self._cors(),
            disable_execute_api_endpoint=None if default_host else True,
        )
        self.stage = apigatewayv2.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name=HTTP_STAGE,
            auto_deploy=True,
            throttle=apigatewayv2.ThrottleSettings(
                rate_limit=access.rate_limit_per_s, burst_limit=access.burst_limit
            ),
        )
        if access_log is not None:
            deployed = cast(apigatewayv2.CfnStage, self.stage.node.default_child)
            deployed.access_log_settings = apigatewayv2.CfnStage.AccessLogSettingsProperty(
                destination_arn=access_log.group.log_group_arn, format=HTTP_FORMAT
            )
        self.metrics: ApiMetrics = http_api_metrics(self.api.api_id, HTTP_STAGE)
        self._add_routes(backend)

    @property
    def url(self) -> str:
        stack = cdk.Stack.of(self)
        return f"https://{self.api.api_id}.execute-api.{stack.region}.{stack.url_suffix}"

    def _cors(self) -> apigatewayv2.CorsPreflightOptions | None:
        access = self._access
        if not access.cors_origins:
            return None
        return apigatewayv2.CorsPreflightOptions(
            allow_origins=list(access.cors_origins),
            allow_methods=[apigatewayv2.CorsHttpMethod[method] for method in CORS_METHODS],
            allow_headers=access.cors_headers,
            expose_headers=list(EXPOSED_HEADERS),
            max_age=cdk.Duration.hours(CORS_HOURS),
        )

    def _add_routes(self, backend: lambda_.IFunction) -> None:
        access = self._access
        integration = integrations.HttpLambdaIntegration("Backend", backend, scope_permission_to_route=False)
        self.api.add_routes(
            path="/{proxy+}",
            integration=integration,
            authorizer=self._authorizer(),
            authorization_scopes=list(access.jwt.scopes) if access.auth == "jwt" and access.jwt.scopes else None,
        )
        everyone = apigatewayv2.HttpNoneAuthorizer()
        if access.cors_origins and access.auth != "public":
            # A guarded route for any method would ask preflights for a token, which browsers do not send there:
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
            self.api.add_routes(
                path="/{proxy+}",
                methods=[apigatewayv2.HttpMethod.OPTIONS],
                integration=integration,
                authorizer=everyone,
            )
        for path in access.open_paths:
            self.api.add_routes(
                path=f"/{path}",
                methods=[apigatewayv2.HttpMethod.GET],
                integration=integration,
                authorizer=everyone,
            )

    def _authorizer(self) -> apigatewayv2.IHttpRouteAuthorizer:
        jwt = self._access.jwt
        if self._access.auth == "jwt":
            if jwt.issuer is None:
                raise ValueError('auth is "jwt", but jwt.issuer is not set.')
            return authorizers.HttpJwtAuthorizer("Jwt", jwt.issuer, jwt_audience=list(jwt.audience))
        if self._access.auth == "iam":
            return authorizers.HttpIamAuthorizer()
        return apigatewayv2.HttpNoneAuthorizer()
