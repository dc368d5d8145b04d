"""The event that an authorizer's function receives.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
"""

from typing import Any

from serinus.offline.http.event_headers import merged
from serinus.offline.services.apigateway.serving.exchange import RestExchange
from serinus.offline.services.apigateway.serving.proxy_event import event_headers, request_context


def method_arn(exchange: RestExchange) -> str:
    """The request as execute-api names it, with the path as sent."""
    stage, request = exchange.stage, exchange.request
    return (
        f"arn:aws:execute-api:{stage.region}:{stage.account_id}:{stage.api_id}"
        f"/{stage.name}/{request.method}{request.path}"
    )


def authorizer_event(exchange: RestExchange, token: str | None) -> dict[str, Any]:
    """The event of a TOKEN authorizer if there is a ``token``, else of a REQUEST authorizer."""
    if token is not None:
        return {"type": "TOKEN", "authorizationToken": token, "methodArn": method_arn(exchange)}
    request, route = exchange.request, exchange.route
    assert route is not None
    headers, multi_headers = event_headers(exchange)
    query, multi_query = merged(request.query)
    return {
        "type": "REQUEST",
        "methodArn": method_arn(exchange),
        "resource": route.resource_path,
        "path": exchange.mapped_path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": multi_headers,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": multi_query,
        "pathParameters": exchange.path_parameters,
        "stageVariables": exchange.stage.variables,
        "requestContext": request_context(exchange),
    }
