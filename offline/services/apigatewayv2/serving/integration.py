"""A route's Lambda integration: sends the event and awaits the response, within the integration's timeout."""

import msgspec

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import InvokeResponse
from serinus.offline.http.function_call import FunctionCall, IntegrationTimeout
from serinus.offline.http.reply import Reply
from serinus.offline.services.apigatewayv2.serving.errors import (
    HttpApiError,
    body_too_large,
    internal_error,
    unavailable,
)
from serinus.offline.services.apigatewayv2.serving.event import event
from serinus.offline.services.apigatewayv2.serving.event_v1 import event_v1
from serinus.offline.services.apigatewayv2.serving.exchange import HttpExchange
from serinus.offline.services.apigatewayv2.serving.reply import reply_v1, reply_v2

#: Messages of $context.integrationErrorMessage.
#: Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
NO_PERMISSION = (
    "The IAM role configured on the integration or API Gateway doesn't have permissions to call the integration. "
    "Check the permissions and try again."
)
MALFORMED = "The response from the Lambda function doesn't match the format that API Gateway expects."
TIMED_OUT = "Endpoint request timed out"


class LambdaIntegration:
    """One integration's function, invoked with payload format ``version``."""

    def __init__(self, function: FunctionCall, version: str) -> None:
        self._function = function
        self._event, self._reply = (event, reply_v2) if version == "2.0" else (event_v1, reply_v1)

    async def answer(self, exchange: HttpExchange) -> Reply:
        """The function's reply; raises `HttpApiError` where AWS returns an error instead."""
        result = await self._call(exchange, msgspec.json.encode(self._event(exchange)))
        exchange.integration_status = 200
        if result.function_error is not None:
            exchange.integration_error = result.payload.decode("utf-8", errors="replace")
            raise internal_error()
        try:
            return self._reply(result.payload)
        except HttpApiError:
            exchange.integration_error = MALFORMED
            raise

    async def _call(self, exchange: HttpExchange, payload: bytes) -> InvokeResponse:
        route = exchange.route
        assert route is not None
        taken = "$default" if route.key == "$default" else f"{exchange.request.method}{route.path}"
        try:
            return await self._function.make(exchange, payload, f"{exchange.stage.arn}/{taken}")
        except IntegrationTimeout as error:
            exchange.integration_error = TIMED_OUT
            raise unavailable() from error
        except AwsError as error:
            exchange.integration_status = error.status or 500
            denied = error.code == "AccessDeniedException"
            exchange.integration_error = NO_PERMISSION if denied else error.message
            raise (body_too_large() if error.code == "RequestTooLargeException" else internal_error()) from error
