"""The Lambda proxy integration: sends the event and awaits the response, within the integration's timeout."""

import msgspec

from serinus.offline.core.errors import AwsError
from serinus.offline.http.errors import (
    GatewayError,
    body_too_large,
    configuration_error,
    malformed_function_response,
    timed_out,
)
from serinus.offline.http.function_call import FunctionCall, IntegrationTimeout
from serinus.offline.http.reply import Reply
from serinus.offline.services.apigateway.serving.exchange import RestExchange
from serinus.offline.services.apigateway.serving.proxy_event import proxy_event
from serinus.offline.services.apigateway.serving.proxy_reply import proxy_reply


class LambdaProxy:
    """One method's function."""

    def __init__(self, function: FunctionCall) -> None:
        self._function = function

    async def answer(self, exchange: RestExchange) -> Reply:
        """The function's reply; raises `GatewayError` where AWS returns an error instead."""
        if self._function.target is None:
            raise configuration_error()
        payload = msgspec.json.encode(proxy_event(exchange))
        try:
            result = await self._function.make(exchange, payload, source_arn(exchange))
        except IntegrationTimeout as error:
            exchange.integration_error = "Execution failed due to a timeout error"
            raise timed_out() from error
        except AwsError as error:
            exchange.integration_error = f"Execution failed due to configuration error: {error.message}"
            exchange.integration_status = error.status or 500
            if error.code == "RequestTooLargeException":
                raise body_too_large() from error
            raise configuration_error() from error
        exchange.integration_status = 200
        if result.function_error is not None:
            exchange.integration_error = (
                "Lambda execution failed with status 200 due to customer function error: "
                + result.payload.decode("utf-8", errors="replace")
            )
            raise malformed_function_response()
        try:
            return proxy_reply(result.payload, exchange.request.header("accept"), exchange.stage.binary)
        except GatewayError:
            exchange.integration_error = (
                "Execution failed due to configuration error: Malformed Lambda proxy response: "
                + result.payload.decode("utf-8", errors="replace")
            )
            raise


def source_arn(exchange: RestExchange) -> str:
    """The method as execute-api names it, for which a function's policy is checked."""
    stage, route = exchange.stage, exchange.route
    assert route is not None
    return (
        f"arn:aws:execute-api:{stage.region}:{stage.account_id}:{stage.api_id}"
        f"/{stage.name}/{exchange.request.method}{route.resource_path}"
    )
