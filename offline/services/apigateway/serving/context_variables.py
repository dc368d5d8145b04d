"""The ``$context`` variables of access logs, gateway responses and mapping templates.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

import json
import re
from collections.abc import Callable
from typing import Any

from serinus.offline.services.apigateway.serving.exchange import Exchange

VARIABLE = re.compile(r"\$(?:\{context\.([\w.\-]+)\}|context\.([\w.\-]*\w))")

Getter = Callable[[Exchange], Any]


def _error(read: Callable[[Any], Any]) -> Getter:
    return lambda exchange: read(exchange.error) if exchange.error is not None else None


def _milliseconds(value: float | None) -> int | None:
    return None if value is None else round(value)


CONTEXT: dict[str, Getter] = {
    "accountId": lambda x: x.stage.account_id,
    "apiId": lambda x: x.stage.api_id,
    "awsEndpointRequestId": lambda x: x.integration_request_id,
    "deploymentId": lambda x: x.stage.deployment_id,
    "domainName": lambda x: x.domain_name,
    "domainPrefix": lambda x: x.domain_name.partition(".")[0],
    "error.message": _error(lambda error: error.message),
    "error.messageString": _error(lambda error: json.dumps(error.message)),
    "error.responseType": _error(lambda error: error.response_type),
    "error.validationErrorString": _error(lambda error: error.detail or None),
    "extendedRequestId": lambda x: x.extended_request_id,
    "httpMethod": lambda x: x.request.method,
    "identity.accountId": lambda x: x.caller.account_id if x.caller else None,
    "identity.apiKey": lambda x: x.client.key["value"] if x.client else None,
    "identity.apiKeyId": lambda x: x.client.key["id"] if x.client else None,
    "identity.caller": lambda x: x.caller.caller_id if x.caller else None,
    "identity.sourceIp": lambda x: x.request.source_ip,
    "identity.user": lambda x: x.caller.caller_id if x.caller else None,
    "identity.userAgent": lambda x: x.request.header("user-agent"),
    "identity.userArn": lambda x: x.caller.arn if x.caller else None,
    "integration.error": lambda x: x.integration_error,
    "integration.integrationStatus": lambda x: x.integration_status,
    "integration.latency": lambda x: _milliseconds(x.integration_latency_ms),
    "integration.requestId": lambda x: x.integration_request_id,
    "integration.status": lambda x: x.integration_status,
    "integrationErrorMessage": lambda x: x.integration_error,
    "integrationLatency": lambda x: _milliseconds(x.integration_latency_ms),
    "integrationStatus": lambda x: x.integration_status,
    "path": lambda x: x.full_path,
    "protocol": lambda x: x.request.protocol,
    "requestId": lambda x: x.request_id,
    "requestTime": lambda x: x.request_time,
    "requestTimeEpoch": lambda x: int(x.cloud_time * 1000),
    "resourceId": lambda x: x.route.resource_id if x.route else None,
    "resourcePath": lambda x: x.route.resource_path if x.route else None,
    "responseLatency": lambda x: _milliseconds(x.latency_ms),
    "responseLength": lambda x: x.response_length,
    "responseType": _error(lambda error: error.response_type),
    "stage": lambda x: x.stage.name,
    "status": lambda x: x.status,
    "xrayTraceId": lambda x: x.trace_id.partition("Root=")[2].partition(";")[0] or None,
}


def context_value(exchange: Exchange, name: str) -> str | None:
    """The variable ``name`` (without "$context.") as text; None where it is unset or unknown."""
    if name.startswith("authorizer."):
        return (exchange.authorizer or {}).get(name.removeprefix("authorizer."))
    getter = CONTEXT.get(name)
    value = getter(exchange) if getter is not None else None
    return None if value is None else str(value)


def substitute(template: str, value_of: Callable[[str], str | None], unset: str) -> str:
    """``template`` with its $context variables replaced; ``unset`` stands for those without a value."""

    def replaced(match: re.Match[str]) -> str:
        value = value_of(match[1] or match[2])
        return unset if value is None else value

    return VARIABLE.sub(replaced, template)
