"""The event that a proxy integration sends to a function (payload format 1.0), field for field as on AWS.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
from typing import Any

from serinus.offline.http.event_headers import ADDED, added_headers, merged
from serinus.offline.services.apigateway.serving.exchange import RestExchange

#: Headers that the gateway consumes or drops before any integration.
DROPPED = frozenset(
    {
        "connection",
        "content-length",
        "content-md5",
        "expect",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "te",
        "transfer-encoding",
        "trailer",
        "upgrade",
        "www-authenticate",
    }
)


def proxy_event(exchange: RestExchange) -> dict[str, Any]:
    """The event for ``exchange``, which has a route."""
    stage, request, route = exchange.stage, exchange.request, exchange.route
    assert route is not None
    headers, multi_headers = event_headers(exchange)
    query, multi_query = merged(request.query)
    body, is_base64 = event_body(exchange)
    return {
        "resource": route.resource_path,
        "path": exchange.mapped_path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": multi_headers,
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": multi_query or None,
        "pathParameters": exchange.path_parameters or None,
        "stageVariables": stage.variables or None,
        "requestContext": request_context(exchange),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def event_headers(exchange: RestExchange) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The client's headers, and API Gateway's own."""
    request = exchange.request
    spelling: dict[str, str] = {}
    pairs = []
    for name, value in request.headers:
        lower = name.lower()
        if lower not in DROPPED and lower not in ADDED:
            pairs.append((spelling.setdefault(lower, name), value))
    pairs += added_headers(request, exchange.trace_id)
    return merged(pairs)


def event_body(exchange: RestExchange) -> tuple[str | None, bool]:
    """The body as text, or in base64 if its type is one of the API's binary types."""
    body = exchange.request.body
    if not body:
        return None, False
    if exchange.stage.binary.match(exchange.request.header("content-type")):
        return base64.b64encode(body).decode("ascii"), True
    return body.decode("utf-8", errors="replace"), False


def request_context(exchange: RestExchange) -> dict[str, Any]:
    stage, request, route = exchange.stage, exchange.request, exchange.route
    assert route is not None
    context: dict[str, Any] = {
        "resourceId": route.resource_id,
        "resourcePath": route.resource_path,
        "httpMethod": request.method,
        "extendedRequestId": exchange.extended_request_id,
        "requestTime": exchange.request_time,
        "path": exchange.full_path,
        "accountId": stage.account_id,
        "protocol": request.protocol,
        "stage": stage.name,
        "domainPrefix": exchange.domain_name.partition(".")[0],
        "requestTimeEpoch": int(exchange.cloud_time * 1000),
        "requestId": exchange.request_id,
        "identity": identity(exchange),
        "domainName": exchange.domain_name,
        "deploymentId": stage.deployment_id,
        "apiId": stage.api_id,
    }
    if exchange.authorizer is not None:
        context["authorizer"] = exchange.authorizer
    if route.operation_name is not None:
        context["operationName"] = route.operation_name
    return context


def identity(exchange: RestExchange) -> dict[str, str | None]:
    caller, client = exchange.caller, exchange.client
    identity: dict[str, str | None] = {
        "cognitoIdentityPoolId": None,
        "accountId": caller.account_id if caller else None,
        "cognitoIdentityId": None,
        "caller": caller.caller_id if caller else None,
        "sourceIp": exchange.request.source_ip,
        "principalOrgId": None,
        "accessKey": caller.access_key if caller else None,
        "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None,
        "userArn": caller.arn if caller else None,
        "userAgent": exchange.request.header("user-agent"),
        "user": caller.caller_id if caller else None,
    }
    if client is not None:
        identity |= {"apiKey": client.key["value"], "apiKeyId": client.key["id"]}
    return identity
