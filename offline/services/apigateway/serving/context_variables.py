"""The ``$context`` variables of access logs, gateway responses and mapping templates.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

import json
from collections.abc import Callable
from typing import Any

from serinus.offline.http.context_variables import COMMON
from serinus.offline.services.apigateway.serving.exchange import RestExchange

RestVariable = Callable[[RestExchange], Any]


def _error(read: Callable[[Any], Any]) -> RestVariable:
    return lambda exchange: read(exchange.error) if exchange.error is not None else None


CONTEXT: dict[str, RestVariable] = {
    **COMMON,
    "deploymentId": lambda x: x.stage.deployment_id,
    "error.message": _error(lambda error: error.message),
    "error.messageString": _error(lambda error: json.dumps(error.message)),
    "error.responseType": _error(lambda error: error.response_type),
    "error.validationErrorString": _error(lambda error: error.detail or None),
    "identity.apiKey": lambda x: x.client.key["value"] if x.client else None,
    "identity.apiKeyId": lambda x: x.client.key["id"] if x.client else None,
    "path": lambda x: x.full_path,
    "requestId": lambda x: x.request_id,
    "resourceId": lambda x: x.route.resource_id if x.route else None,
    "resourcePath": lambda x: x.route.resource_path if x.route else None,
    "responseType": _error(lambda error: error.response_type),
    "xrayTraceId": lambda x: x.trace_id.partition("Root=")[2].partition(";")[0] or None,
}


def context_value(exchange: RestExchange, name: str) -> str | None:
    """The variable ``name`` (without "$context.") as text; None if it is unset or unknown."""
    if name.startswith("authorizer."):
        return (exchange.authorizer or {}).get(name.removeprefix("authorizer."))
    getter = CONTEXT.get(name)
    value = getter(exchange) if getter is not None else None
    return None if value is None else str(value)
