"""The ``$context`` variables of an HTTP API's access logs.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
"""

import json
from collections.abc import Callable
from typing import Any

from serinus.offline.services.apigatewayv2.serving.exchange import HttpExchange

Getter = Callable[[HttpExchange], Any]


def _milliseconds(value: float | None) -> int | None:
    return None if value is None else round(value)


def _quoted(text: str | None) -> str | None:
    return None if text is None else json.dumps(text)


CONTEXT: dict[str, Getter] = {
    "accountId": lambda x: x.stage.account_id,
    "apiId": lambda x: x.stage.api_id,
    "authorizer.error": lambda x: x.authorizer_error,
    "awsEndpointRequestId": lambda x: x.integration_request_id,
    "dataProcessed": lambda x: len(x.request.body) + x.response_length,
    "domainName": lambda x: x.domain_name,
    "domainPrefix": lambda x: x.domain_name.partition(".")[0],
    "error.message": lambda x: x.error_message,
    "error.messageString": lambda x: _quoted(x.error_message),
    "extendedRequestId": lambda x: x.extended_request_id,
    "httpMethod": lambda x: x.request.method,
    "identity.accountId": lambda x: x.caller.account_id if x.caller else None,
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
    "path": lambda x: x.path,
    "protocol": lambda x: x.request.protocol,
    "requestId": lambda x: x.extended_request_id,
    "requestTime": lambda x: x.request_time,
    "requestTimeEpoch": lambda x: int(x.cloud_time * 1000),
    "responseLatency": lambda x: _milliseconds(x.latency_ms),
    "responseLength": lambda x: x.response_length,
    "routeKey": lambda x: x.route.key if x.route else None,
    "stage": lambda x: x.stage.name,
    "status": lambda x: x.status,
}
CLAIMS = "authorizer.claims."


def context_value(exchange: HttpExchange, name: str) -> str | None:
    """The variable ``name`` (without "$context.") as text; None where it is unset or unknown."""
    if name.startswith(CLAIMS):
        return exchange.token.texts.get(name.removeprefix(CLAIMS)) if exchange.token else None
    getter = CONTEXT.get(name)
    value = getter(exchange) if getter is not None else None
    return None if value is None else str(value)
