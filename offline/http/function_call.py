"""Invokes an integration's function: with permission, within the integration's timeout."""

import asyncio
from typing import Any

from serinus.offline.core.clock import monotonic
from serinus.offline.core.errors import AwsError, OfflineError
from serinus.offline.core.ports import FunctionInvoker, InvokeResponse
from serinus.offline.http.lambda_uri import FunctionTarget
from serinus.offline.http.passage import Passage

#: Invocations that have already timed out for the client; the function runs on, as it does on AWS.
_detached: set[asyncio.Task[Any]] = set()


class IntegrationTimeout(OfflineError):
    """The function did not return within the integration's timeout."""


class FunctionCall:
    """One integration's function; ``target`` is None if the integration names no function."""

    def __init__(
        self, functions: FunctionInvoker, target: FunctionTarget | None, timeout_s: float, *, by_role: bool
    ) -> None:
        self._functions = functions
        self.target = target
        self._timeout_s = timeout_s
        self._by_role = by_role

    async def make(self, passage: Passage, payload: bytes, source_arn: str) -> InvokeResponse:
        """Invoke for ``source_arn``, the method as execute-api names it, and record the latency and the version
        that ran.

        Raises `AwsError` if Lambda rejects the call, `IntegrationTimeout` if it is too slow.
        """
        started = monotonic()
        try:
            if self.target is None:
                raise AwsError("ResourceNotFoundException", "The integration names no function", status=404)
            self._check_permission(self.target, source_arn)
            result = await self._invoke(self.target, payload, passage.trace_id)
            passage.integration_version = result.executed_version
            return result
        finally:
            passage.integration_latency_ms = (monotonic() - started) * 1000

    def _check_permission(self, target: FunctionTarget, source_arn: str) -> None:
        """Raise unless the function's policy, or a role, lets this method invoke it."""
        if self._by_role or self._functions.allows(
            target.region,
            target.name,
            target.qualifier,
            principal="apigateway.amazonaws.com",
            source_arn=source_arn,
        ):
            return
        raise AwsError("AccessDeniedException", f"Invalid permissions on Lambda function {target.arn}", status=403)

    async def _invoke(self, target: FunctionTarget, payload: bytes, trace_id: str) -> InvokeResponse:
        running = asyncio.ensure_future(
            self._functions.invoke(target.name, target.qualifier, payload, region=target.region, trace_id=trace_id)
        )
        done, _ = await asyncio.wait({running}, timeout=self._timeout_s)
        if not done:
            _detached.add(running)
            running.add_done_callback(_forget)
            raise IntegrationTimeout(f"no response within {self._timeout_s} s")
        return running.result()


def _forget(task: asyncio.Task[Any]) -> None:
    """Drop a late response; its error, if any, is in the function's log."""
    _detached.discard(task)
    if not task.cancelled():
        task.exception()
