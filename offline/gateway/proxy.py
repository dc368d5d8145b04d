"""The Lambda proxy integration: event out, answer in, within the integration's timeout."""

import asyncio
from typing import Any, Protocol

import msgspec

from offline.clock import monotonic
from offline.errors import AwsError
from offline.gateway.errors import (
    GatewayError,
    body_too_large,
    configuration_error,
    malformed_function_response,
    timed_out,
)
from offline.gateway.exchange import Exchange
from offline.gateway.lambda_uri import FunctionTarget
from offline.gateway.proxy_event import proxy_event
from offline.gateway.proxy_reply import proxy_reply
from offline.gateway.reply import Reply

#: Invocations whose client was told 504 already; the function runs on, as it does on AWS.
_detached: set[asyncio.Task[Any]] = set()


class InvokeResult(Protocol):
    """What an invocation came to; ``function_error`` is "Unhandled" or None."""

    @property
    def payload(self) -> bytes: ...

    @property
    def function_error(self) -> str | None: ...


class Invoker(Protocol):
    """The Lambda service as the gateway uses it."""

    def allows(
        self, region: str, function: str, qualifier: str | None, *, principal: str, source_arn: str
    ) -> bool: ...

    async def invoke(
        self, function: str, qualifier: str | None, payload: bytes, *, region: str, trace_id: str | None = None
    ) -> InvokeResult: ...


class LambdaProxy:
    """One method's function."""

    def __init__(
        self, invoker: Invoker, target: FunctionTarget | None, timeout_s: float, *, by_role: bool
    ) -> None:
        self._invoker = invoker
        self._target = target
        self._timeout_s = timeout_s
        self._by_role = by_role

    async def answer(self, exchange: Exchange) -> Reply:
        """The function's reply; raises `GatewayError` where AWS answers in the function's stead."""
        if self._target is None:
            raise configuration_error()
        payload = msgspec.json.encode(proxy_event(exchange))
        started = monotonic()
        try:
            self._check_permission(exchange, self._target)
            result = await self._invoke(exchange, payload, self._target)
        except AwsError as error:
            exchange.integration_error = f"Execution failed due to configuration error: {error.message}"
            exchange.integration_status = error.status or 500
            if error.code == "RequestTooLargeException":
                raise body_too_large() from error
            raise configuration_error() from error
        finally:
            exchange.integration_latency_ms = (monotonic() - started) * 1000
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

    def _check_permission(self, exchange: Exchange, target: FunctionTarget) -> None:
        """Raise unless the function's policy lets this method call it, or a role does."""
        if self._by_role or self._invoker.allows(
            target.region,
            target.name,
            target.qualifier,
            principal="apigateway.amazonaws.com",
            source_arn=source_arn(exchange),
        ):
            return
        raise AwsError("AccessDeniedException", f"Invalid permissions on Lambda function {target.arn}", status=403)

    async def _invoke(self, exchange: Exchange, payload: bytes, target: FunctionTarget) -> InvokeResult:
        running = asyncio.ensure_future(
            self._invoker.invoke(
                target.name, target.qualifier, payload, region=target.region, trace_id=exchange.trace_id
            )
        )
        done, _ = await asyncio.wait({running}, timeout=self._timeout_s)
        if not done:
            _detached.add(running)
            running.add_done_callback(_forget)
            exchange.integration_error = "Execution failed due to a timeout error"
            raise timed_out()
        return running.result()


def source_arn(exchange: Exchange) -> str:
    """The method as execute-api names it; a function's policy is asked about it."""
    stage, route = exchange.stage, exchange.route
    assert route is not None
    return (
        f"arn:aws:execute-api:{stage.region}:{stage.account_id}:{stage.api_id}"
        f"/{stage.name}/{exchange.request.method}{route.resource_path}"
    )


def _forget(task: asyncio.Task[Any]) -> None:
    """Drop a late answer; its failure, if any, was the function's and is in its log."""
    _detached.discard(task)
    if not task.cancelled():
        task.exception()
