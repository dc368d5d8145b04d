"""The ``$context`` variables of an HTTP API's access logs.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
"""

import json
from collections.abc import Callable
from typing import Any

from serinus.offline.http.context_variables import COMMON
from serinus.offline.services.apigatewayv2.serving.exchange import HttpExchange

HttpVariable = Callable[[HttpExchange], Any]


def _quoted(text: str | None) -> str | None:
    return None if text is None else json.dumps(text)


CONTEXT: dict[str, HttpVariable] = {
    **COMMON,
    "authorizer.error": lambda x: x.authorizer_error,
    "dataProcessed": lambda x: len(x.request.body) + x.response_length,
    "error.message": lambda x: x.error_message,
    "error.messageString": lambda x: _quoted(x.error_message),
    "path": lambda x: x.path,
    "requestId": lambda x: x.extended_request_id,
    "routeKey": lambda x: x.route.key if x.route else None,
}
CLAIMS = "authorizer.claims."


def context_value(exchange: HttpExchange, name: str) -> str | None:
    """The variable ``name`` (without "$context.") as text; None if it is unset or unknown."""
    if name.startswith(CLAIMS):
        return exchange.token.texts.get(name.removeprefix(CLAIMS)) if exchange.token else None
    getter = CONTEXT.get(name)
    value = getter(exchange) if getter is not None else None
    return None if value is None else str(value)
