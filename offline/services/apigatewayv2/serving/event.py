"""The event of payload format 2.0, field for field as on AWS.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
from typing import Any

from serinus.offline.http.event_headers import ADDED, added_headers
from serinus.offline.services.apigatewayv2.serving.exchange import HttpExchange

#: Bodies of these types, and of text/*, are sent as text; all others, and those without a type, in base64.
TEXT = frozenset({"application/json", "application/xml", "application/javascript"})
HOP_BY_HOP = frozenset(
    {"connection", "expect", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade"}
)


def event(exchange: HttpExchange) -> dict[str, Any]:
    """The event for ``exchange``, which has a route; absent values are omitted."""
    request, route = exchange.request, exchange.route
    assert route is not None
    pairs = event_headers(exchange)
    cookies = [cookie for name, value in pairs if name == "cookie" for cookie in value.split("; ") if cookie]
    body, is_base64 = event_body(exchange)
    optional = {
        "cookies": cookies,
        "queryStringParameters": joined(request.query),
        "pathParameters": exchange.path_parameters,
        "stageVariables": exchange.stage.variables,
        "body": body,
    }
    return {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": exchange.path,
        "rawQueryString": request.raw_query,
        "headers": joined([pair for pair in pairs if pair[0] != "cookie"]),
        "requestContext": request_context(exchange),
        "isBase64Encoded": is_base64,
    } | {name: value for name, value in optional.items() if value}


def event_headers(exchange: HttpExchange) -> list[tuple[str, str]]:
    """The client's headers in lower case, and API Gateway's own."""
    request = exchange.request
    kept = [(name.lower(), value) for name, value in request.headers]
    added = [(name.lower(), value) for name, value in added_headers(request, exchange.trace_id)]
    pairs = [pair for pair in kept if pair[0] not in HOP_BY_HOP and pair[0] not in ADDED] + added
    if request.header("content-length") is None:
        pairs.append(("content-length", str(len(request.body))))
    return pairs


def joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Each name with its values, duplicates combined with commas."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: ",".join(several) for name, several in values.items()}


def event_body(exchange: HttpExchange) -> tuple[str | None, bool]:
    body = exchange.request.body
    if not body:
        return None, False
    content_type = exchange.request.header("content-type") or ""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in TEXT or media_type.startswith("text/"):
        return body.decode("utf-8", errors="replace"), False
    return base64.b64encode(body).decode("ascii"), True


def request_context(exchange: HttpExchange) -> dict[str, Any]:
    stage, request, route = exchange.stage, exchange.request, exchange.route
    assert route is not None
    context: dict[str, Any] = {
        "accountId": stage.account_id,
        "apiId": stage.api_id,
        "domainName": exchange.domain_name,
        "domainPrefix": exchange.domain_name.partition(".")[0],
        "http": {
            "method": request.method,
            "path": exchange.path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": exchange.extended_request_id,
        "routeKey": route.key,
        "stage": stage.name,
        "time": exchange.request_time,
        "timeEpoch": int(exchange.cloud_time * 1000),
    }
    authorizer = authorizer_context(exchange)
    return context | ({"authorizer": authorizer} if authorizer else {})


def authorizer_context(exchange: HttpExchange) -> dict[str, Any]:
    if exchange.token is not None:
        return {"jwt": {"claims": exchange.token.texts, "scopes": event_scopes(exchange)}}
    caller = exchange.caller
    if caller is None:
        return {}
    return {
        "iam": {
            "accessKey": caller.access_key,
            "accountId": caller.account_id,
            "callerId": caller.caller_id,
            "cognitoIdentity": None,
            "principalOrgId": None,
            "userArn": caller.arn,
            "userId": caller.caller_id,
        }
    }


def event_scopes(exchange: HttpExchange) -> list[str] | None:
    """The token's scopes if the route requires any, else null."""
    assert exchange.route is not None
    return exchange.token.scopes if exchange.token and exchange.route.scopes else None
