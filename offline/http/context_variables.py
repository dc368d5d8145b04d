"""The ``$context`` variables that REST and HTTP APIs share, and their substitution in a template.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

import re
from collections.abc import Callable
from typing import Any

from serinus.offline.http.passage import Passage

VARIABLE = re.compile(r"\$(?:\{context\.([\w.\-]+)\}|context\.([\w.\-]*\w))")


def _milliseconds(value: float | None) -> int | None:
    return None if value is None else round(value)


COMMON: dict[str, Callable[[Passage], Any]] = {
    "accountId": lambda x: x.stage.account_id,
    "apiId": lambda x: x.stage.api_id,
    "awsEndpointRequestId": lambda x: x.integration_request_id,
    "domainName": lambda x: x.domain_name,
    "domainPrefix": lambda x: x.domain_name.partition(".")[0],
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
    "protocol": lambda x: x.request.protocol,
    "requestTime": lambda x: x.request_time,
    "requestTimeEpoch": lambda x: int(x.cloud_time * 1000),
    "responseLatency": lambda x: _milliseconds(x.latency_ms),
    "responseLength": lambda x: x.response_length,
    "stage": lambda x: x.stage.name,
    "status": lambda x: x.status,
}


def substitute(template: str, value_of: Callable[[str], str | None], unset: str) -> str:
    """``template`` with its $context variables replaced, those without a value by ``unset``."""

    def replaced(match: re.Match[str]) -> str:
        value = value_of(match[1] or match[2])
        return unset if value is None else value

    return VARIABLE.sub(replaced, template)
