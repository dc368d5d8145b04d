"""Compiles a stage for serving: its snapshot as a router, every document read once.

A stage is compiled at its first request and again after any change in the control plane.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from serinus.offline.core.ports import FunctionInvoker
from serinus.offline.http.access_log import AccessLog, stream_of
from serinus.offline.http.api_documents import Document
from serinus.offline.http.function_call import FunctionCall
from serinus.offline.http.lambda_uri import target_of
from serinus.offline.http.limits import Limit
from serinus.offline.http.reply import Reply
from serinus.offline.http.routing import Router
from serinus.offline.services.apigateway.published import PublishedRestStage
from serinus.offline.services.apigateway.serving.authorizer import LambdaAuthorizer
from serinus.offline.services.apigateway.serving.exchange import RestExchange
from serinus.offline.services.apigateway.serving.media_types import MediaTypes
from serinus.offline.services.apigateway.serving.mock import Mock
from serinus.offline.services.apigateway.serving.proxy import LambdaProxy
from serinus.offline.services.apigateway.serving.validation import RequestCheck
from serinus.offline.services.apigateway.store import Client, Definition, Resource, stage_arn
from serinus.offline.services.apigateway.usage import UsageLedger


class Integration(Protocol):
    async def answer(self, exchange: RestExchange) -> Reply: ...


@dataclass(frozen=True, slots=True)
class MethodRoute:
    """One method of a resource."""

    resource_id: str
    resource_path: str
    http_method: str
    operation_name: str | None
    api_key_required: bool
    signed: bool
    authorizer: LambdaAuthorizer | None
    throttle: Limit | None
    detailed_metrics: bool
    logging_level: str
    check: RequestCheck | None
    integration: Integration


@dataclass(frozen=True, slots=True)
class RestStage:
    """A compiled stage; ``minimum_compression_bytes`` is None if compression is off."""

    region: str
    account_id: str
    api_id: str
    api_name: str
    name: str
    deployment_id: str
    domain_name: str
    variables: dict[str, str]
    router: Router[MethodRoute]
    binary: MediaTypes
    minimum_compression_bytes: int | None
    gateway_responses: dict[str, Document]
    clients: dict[str, Client]
    access_log: AccessLog | None
    log_stream: str
    usage: UsageLedger
    endpoint_disabled: bool

    @property
    def control_arn(self) -> str:
        """The stage's ARN in other services."""
        return stage_arn(self.region, self.api_id, self.name)


def compile_stage(
    published: PublishedRestStage, usage: UsageLedger, account_id: str, functions: FunctionInvoker
) -> RestStage:
    """The stage ``published``, compiled for serving."""
    settings = published.definition.settings
    router: Router[MethodRoute] = Router()
    variables = published.stage.get("variables") or {}
    authorizers = {
        authorizer_id: LambdaAuthorizer(document, variables, functions)
        for authorizer_id, document in published.definition.authorizers.items()
    }
    for resource in published.definition.resources.values():
        for http_method, method in resource.methods.items():
            router.add(
                resource.path,
                http_method,
                compile_route(published, resource, http_method, method, functions, authorizers),
            )
    return RestStage(
        region=published.region,
        account_id=account_id,
        api_id=published.api_id,
        api_name=published.api["name"],
        name=published.stage["stageName"],
        deployment_id=published.deployment_id,
        domain_name=f"{published.api_id}.execute-api.{published.region}.amazonaws.com",
        variables=variables,
        router=router,
        binary=MediaTypes(tuple(settings.get("binaryMediaTypes") or ())),
        minimum_compression_bytes=settings.get("minimumCompressionSize"),
        gateway_responses=published.definition.gateway_responses,
        clients=published.clients,
        access_log=access_log_of(published.stage),
        log_stream=stream_of(published.stage["stageName"]),
        usage=usage,
        endpoint_disabled=bool(published.api["disableExecuteApiEndpoint"]),
    )


def access_log_of(stage: Document) -> AccessLog | None:
    settings = stage.get("accessLogSettings") or {}
    return AccessLog.of(stage["stageName"], settings.get("destinationArn"), settings.get("format"))


def compile_route(
    published: PublishedRestStage,
    resource: Resource,
    http_method: str,
    method: Document,
    functions: FunctionInvoker,
    authorizers: dict[str, LambdaAuthorizer],
) -> MethodRoute:
    settings = method_settings(published.stage, resource.path, http_method)
    throttle = None
    if "throttlingRateLimit" in settings:
        throttle = Limit(settings["throttlingRateLimit"], settings["throttlingBurstLimit"])
    return MethodRoute(
        resource_id=resource.id,
        resource_path=resource.path,
        http_method=http_method,
        operation_name=method.get("operationName"),
        api_key_required=method["apiKeyRequired"],
        signed=method.get("authorizationType") == "AWS_IAM",
        authorizer=authorizers.get(method.get("authorizerId") or ""),
        throttle=throttle,
        detailed_metrics=bool(settings.get("metricsEnabled")),
        logging_level=settings.get("loggingLevel", "OFF"),
        check=request_check(published.definition, method, published.api_id),
        integration=compile_integration(published, method["methodIntegration"], functions),
    )


def compile_integration(
    published: PublishedRestStage, integration: Document, functions: FunctionInvoker
) -> Integration:
    if integration["type"] == "MOCK":
        return Mock(integration)
    target = target_of(integration["uri"], published.stage.get("variables") or {})
    timeout_s = integration["timeoutInMillis"] / 1000
    return LambdaProxy(FunctionCall(functions, target, timeout_s, by_role=bool(integration.get("credentials"))))


def request_check(definition: Definition, method: Document, api_id: str) -> RequestCheck | None:
    validator = definition.validators.get(method.get("requestValidatorId") or "")
    return None if validator is None else RequestCheck(method, validator, definition.models, api_id)


def plain_path(escaped: str) -> str:
    """The resource path in a method setting's key, which may be escaped once, twice or not at all."""
    return escaped.replace("~1", "/").replace("~0", "~").replace("~1", "/").strip("/")


def method_settings(stage: Document, resource_path: str, http_method: str) -> dict[str, Any]:
    """The stage's settings for a method: its own, else those of "*/*"."""
    exact: dict[str, Any] | None = None
    general: dict[str, Any] = {}
    for key, settings in stage["methodSettings"].items():
        path, _, method = key.rpartition("/")
        if path == method == "*":
            general = settings
        elif method in (http_method, "*") and plain_path(path) == resource_path.strip("/"):
            exact = settings
    return general if exact is None else exact
