"""The REST API in front of an endpoint: all paths go to the function, and `auth` sets how callers authenticate.

Its access log needs a role that belongs to the whole account, which one endpoint must not set.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from serinus.infra.constructs.access_log import REST_FORMAT, AccessLog
from serinus.infra.constructs.endpoint_metrics import ApiMetrics, rest_api_metrics
from serinus.infra.constructs.front import CORS_HOURS, CORS_METHODS, TLS_POLICIES, Access
from serinus.infra.settings import Tls

_PERIODS = {
    "day": apigateway.Period.DAY,
    "week": apigateway.Period.WEEK,
    "month": apigateway.Period.MONTH,
}


class RestFront(Construct):
    """``api`` with its stage, traced by X-Ray if ``tracing``, with ``minimum_tls`` or later; with
    ``access.auth`` "api_key" its ``key`` under a usage plan, else None and a throttle on the whole stage. ``url``
    ends with the stage. Without ``default_host``, its host rejects requests and only a domain leads to the API.
    ``access_log`` gets a line for each call."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        stage: str,
        backend: lambda_.IFunction,
        access: Access,
        tracing: bool = False,
        minimum_tls: Tls = "1.2",
        default_host: bool = True,
        access_log: AccessLog | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if access.auth == "jwt":
            raise ValueError('a REST API does not accept tokens of any issuer; auth is "jwt". Use an HTTP API.')
        self._access = access
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=name,
            deploy_options=apigateway.StageOptions(
                stage_name=stage, tracing_enabled=tracing or None, **self._stage_throttle()
            ),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # Clients of binary tensors send them without a Content-Type, and gzip in either direction is binary.
            binary_media_types=["*/*"],
            cloud_watch_role=False,
            disable_execute_api_endpoint=None if default_host else True,
            default_integration=apigateway.LambdaIntegration(backend, scope_permission_to_method=False),
        )
        # The construct's own output of the address: a stack names it once, as `serinus.infra.names` says.
        self.api.node.try_remove_child("Endpoint")
        resource = cast(apigateway.CfnRestApi, self.api.node.default_child)
        resource.security_policy = TLS_POLICIES[minimum_tls]
        resource.endpoint_access_mode = "STRICT"
        if access_log is not None:
            deployed = cast(apigateway.CfnStage, self.api.deployment_stage.node.default_child)
            deployed.access_log_setting = apigateway.CfnStage.AccessLogSettingProperty(
                destination_arn=access_log.group.log_group_arn, format=REST_FORMAT
            )
        self.metrics: ApiMetrics = rest_api_metrics(name, stage)
        self._add_routes()
        self.key = self._create_key(name) if access.auth == "api_key" else None

    @property
    def url(self) -> str:
        stack = cdk.Stack.of(self)
        stage = self.api.deployment_stage.stage_name
        return f"https://{self.api.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}/{stage}"

    @property
    def stage_arn(self) -> str:
        return self.api.deployment_stage.stage_arn

    def _stage_throttle(self) -> dict[str, Any]:
        if self._access.auth == "api_key":
            return {}
        return {
            "throttling_rate_limit": self._access.rate_limit_per_s,
            "throttling_burst_limit": self._access.burst_limit,
        }

    def _add_routes(self) -> None:
        access = self._access
        proxy = self.api.root.add_resource("{proxy+}")
        proxy.add_method(
            "ANY",
            api_key_required=access.auth == "api_key",
            authorization_type=(
                apigateway.AuthorizationType.IAM if access.auth == "iam" else apigateway.AuthorizationType.NONE
            ),
        )
        if access.cors_origins:
            preflight = proxy.add_cors_preflight(
                allow_origins=list(access.cors_origins),
                allow_methods=list(CORS_METHODS),
                allow_headers=access.cors_headers,
                max_age=cdk.Duration.hours(CORS_HOURS),
            )
            _answer_as_text(preflight)
            self._let_pages_read_errors()
        for path in access.open_paths:
            self.api.root.add_resource(path).add_method("GET", api_key_required=False)

    def _let_pages_read_errors(self) -> None:
        """API Gateway's own errors (403, 429, 504) never reach the function, which would name the origin.

        They contain only a standard phrase, so any origin may read them.
        """
        for kind in (apigateway.ResponseType.DEFAULT_4_XX, apigateway.ResponseType.DEFAULT_5_XX):
            self.api.add_gateway_response(
                f"Cors{kind.response_type}",
                type=kind,
                response_headers={"Access-Control-Allow-Origin": "'*'"},
            )

    def _create_key(self, name: str) -> apigateway.ApiKey:
        """A key under a usage plan with the limits by key."""
        access = self._access
        key = apigateway.ApiKey(self, "Key", api_key_name=name)
        quota = (
            apigateway.QuotaSettings(limit=access.quota_requests, period=_PERIODS[access.quota_period])
            if access.quota_requests
            else None
        )
        plan = self.api.add_usage_plan(
            "UsagePlan",
            name=name,
            throttle=apigateway.ThrottleSettings(
                rate_limit=access.rate_limit_per_s, burst_limit=access.burst_limit
            ),
            quota=quota,
        )
        plan.add_api_key(key)
        plan.add_api_stage(stage=self.api.deployment_stage)
        return key


def _answer_as_text(preflight: apigateway.Method) -> None:
    """If every media type is binary, a mock integration can read its own template only with CONVERT_TO_TEXT.
    Whether the template of its response, which two or more origins have, needs it too is not documented.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
    """
    method = preflight.node.default_child
    assert isinstance(method, apigateway.CfnMethod)
    method.add_property_override("Integration.ContentHandling", "CONVERT_TO_TEXT")
    method.add_property_override("Integration.IntegrationResponses.0.ContentHandling", "CONVERT_TO_TEXT")
