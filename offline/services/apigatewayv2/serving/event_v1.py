"""The event of payload format 1.0 of HTTP APIs, which resembles a REST API's.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from typing import Any
from urllib.parse import unquote

from serinus.offline.http.event_headers import merged
from serinus.offline.services.apigatewayv2.serving.event import event_body, event_headers, event_scopes
from serinus.offline.services.apigatewayv2.serving.exchange import HttpExchange


def event_v1(exchange: HttpExchange) -> dict[str, Any]:
    """The event for ``exchange``, which has a route; absent values are null."""
    request, route = exchange.request, exchange.route
    assert route is not None
    headers, multi_headers = merged(event_headers(exchange))
    query, multi_query = merged(request.query)
    body, is_base64 = event_body(exchange)
    return {
        "version": "1.0",
        "resource": route.path,
        "path": path_with_mapping(exchange),
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": multi_headers,
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": multi_query or None,
        "requestContext": request_context(exchange),
        "pathParameters": exchange.path_parameters or None,
        "stageVariables": exchange.stage.variables or None,
        "body": body,
        "isBase64Encoded": is_base64,
    }


def path_with_mapping(exchange: HttpExchange) -> str:
    """Behind a custom domain, the path with the mapping's key; else with the stage."""
    request = exchange.request
    if not request.base_path:
        return exchange.path
    return unquote(request.base_path + request.path).partition("?")[0]


def request_context(exchange: HttpExchange) -> dict[str, Any]:
    stage, request, route = exchange.stage, exchange.request, exchange.route
    assert route is not None
    context: dict[str, Any] = {
        "accountId": stage.account_id,
        "apiId": stage.api_id,
        "domainName": exchange.domain_name,
        "domainPrefix": exchange.domain_name.partition(".")[0],
        "extendedRequestId": exchange.extended_request_id,
        "httpMethod": request.method,
        "identity": identity(exchange),
        "path": path_with_mapping(exchange),
        "protocol": request.protocol,
        "requestId": exchange.extended_request_id,
        "requestTime": exchange.request_time,
        "requestTimeEpoch": int(exchange.cloud_time * 1000),
        "resourceId": None,
        "resourcePath": route.path,
        "stage": stage.name,
    }
    if exchange.token is not None:
        context["authorizer"] = {"claims": exchange.token.texts, "scopes": event_scopes(exchange)}
    return context


def identity(exchange: HttpExchange) -> dict[str, str | None]:
    caller = exchange.caller
    return {
        "accessKey": caller.access_key if caller else None,
        "accountId": caller.account_id if caller else None,
        "caller": caller.caller_id if caller else None,
        "cognitoAuthenticationProvider": None,
        "cognitoAuthenticationType": None,
        "cognitoIdentityId": None,
        "cognitoIdentityPoolId": None,
        "principalOrgId": None,
        "sourceIp": exchange.request.source_ip,
        "user": caller.caller_id if caller else None,
        "userAgent": exchange.request.header("user-agent"),
        "userArn": caller.arn if caller else None,
    }
