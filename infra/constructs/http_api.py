"""The REST API in front of an endpoint: all paths go to the function, and every caller needs a key.

Access logs stay off: they need a role that belongs to the whole account, which one endpoint should not set.
"""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

#: Paths of the documentation, open to browsers, which cannot send a key for a page.
DOCS_PATHS = ("docs", "openapi.json")

#: What pages of other origins may send: the key, and the headers that say how a body is written.
CORS_HEADERS = ("accept", "content-encoding", "content-type", "inference-header-content-length", "x-api-key")

_PERIODS = {
    "day": apigateway.Period.DAY,
    "week": apigateway.Period.WEEK,
    "month": apigateway.Period.MONTH,
}


class HttpApi(Construct):
    """``api`` with its stage, ``key`` and usage plan; ``url`` ends with the stage, without a slash."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        stage: str,
        backend: lambda_.IFunction,
        docs: bool,
        cors_origins: Sequence[str],
        rate_limit_per_s: int,
        burst_limit: int,
        quota_requests: int,
        quota_period: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=name,
            deploy_options=apigateway.StageOptions(stage_name=stage),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # Clients of binary tensors send them without a Content-Type, and gzip in either direction is binary.
            binary_media_types=["*/*"],
            cloud_watch_role=False,
            default_integration=apigateway.LambdaIntegration(backend, scope_permission_to_method=False),
        )
        # The construct's own output of the address: a stack names it once, as `infra.names` says.
        self.api.node.try_remove_child("Endpoint")
        self.key = apigateway.ApiKey(self, "Key", api_key_name=name)
        self._add_routes(docs, cors_origins)
        self._add_usage_plan(name, rate_limit_per_s, burst_limit, quota_requests, quota_period)

    @property
    def url(self) -> str:
        stack = cdk.Stack.of(self)
        stage = self.api.deployment_stage.stage_name
        return f"https://{self.api.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}/{stage}"

    def _add_routes(self, docs: bool, cors_origins: Sequence[str]) -> None:
        proxy = self.api.root.add_resource("{proxy+}")
        proxy.add_method("ANY", api_key_required=True)
        if cors_origins:
            preflight = proxy.add_cors_preflight(
                allow_origins=list(cors_origins),
                allow_methods=["GET", "POST", "OPTIONS"],
                allow_headers=list(CORS_HEADERS),
                max_age=cdk.Duration.hours(1),
            )
            _answer_as_text(preflight)
            self._let_pages_read_errors()
        for path in DOCS_PATHS if docs else ():
            self.api.root.add_resource(path).add_method("GET", api_key_required=False)

    def _let_pages_read_errors(self) -> None:
        """API Gateway's own errors (403, 429, 504) never reach the function, which would name the origin.

        They hold nothing but a standard phrase, so any origin may read them.
        """
        for kind in (apigateway.ResponseType.DEFAULT_4_XX, apigateway.ResponseType.DEFAULT_5_XX):
            self.api.add_gateway_response(
                f"Cors{kind.response_type}",
                type=kind,
                response_headers={"Access-Control-Allow-Origin": "'*'"},
            )

    def _add_usage_plan(
        self, name: str, rate_limit_per_s: int, burst_limit: int, quota_requests: int, quota_period: str
    ) -> None:
        quota = (
            apigateway.QuotaSettings(limit=quota_requests, period=_PERIODS[quota_period])
            if quota_requests
            else None
        )
        plan = self.api.add_usage_plan(
            "UsagePlan",
            name=name,
            throttle=apigateway.ThrottleSettings(rate_limit=rate_limit_per_s, burst_limit=burst_limit),
            quota=quota,
        )
        plan.add_api_key(self.key)
        plan.add_api_stage(stage=self.api.deployment_stage)


def _answer_as_text(preflight: apigateway.Method) -> None:
    """Where every media type is binary, a mock integration cannot read its own template unless told to make text.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
    """
    method = preflight.node.default_child
    assert isinstance(method, apigateway.CfnMethod)
    method.add_property_override("Integration.ContentHandling", "CONVERT_TO_TEXT")
