"""Invokes functions synchronously.

Everything on this path runs on the event loop: gateway, hooks and other services call `invoke` directly,
without HTTP.
Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

import uuid
from dataclasses import dataclass

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import CloudContext, InvocationType, Ports
from serinus.offline.sandbox.spec import FunctionSpec, Invocation, InvocationOutcome
from serinus.offline.services.lambda_.base import LambdaBase, not_in_state_for_it
from serinus.offline.services.lambda_.concurrency import Concurrency, throttled
from serinus.offline.services.lambda_.execution import spec_of
from serinus.offline.services.lambda_.metrics import LambdaMetrics, dimension_sets
from serinus.offline.services.lambda_.names import target_of
from serinus.offline.services.lambda_.routing import InvocationRoute, pick_route
from serinus.offline.services.lambda_.state import Function, FunctionVersion

#: 6 MB, as AWS counts it.
MAX_SYNC_PAYLOAD_BYTES = 6_291_456
MAX_ASYNC_PAYLOAD_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """Invoke's response. ``status`` is 200, 202 (Event) or 204 (DryRun); ``log_tail`` is plain text."""

    status: int
    payload: bytes
    function_error: str | None
    executed_version: str
    log_tail: str | None = None
    request_id: str = ""


class Invocations(LambdaBase):
    """The synchronous invoke path, its limits and its metrics."""

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        self.concurrency = Concurrency(context.config.account_concurrency)
        self._specs: dict[tuple[str, str, str], FunctionSpec] = {}

    def connect(self, ports: Ports) -> None:
        self.metrics = LambdaMetrics(ports.metrics)

    async def invoke(
        self,
        function: str,
        qualifier: str | None,
        payload: bytes,
        *,
        region: str,
        invocation_type: InvocationType = "RequestResponse",
        log_tail: bool = False,
        client_context: str | None = None,
        trace_id: str | None = None,
    ) -> InvokeResult:
        """Invoke ``function`` (name or ARN) at ``qualifier`` (version, alias, or None for ``$LATEST``).

        ``payload`` is the event's JSON; empty means ``{}``. ``client_context`` is JSON. Raises `AwsError` with
        AWS's codes: ResourceNotFoundException, TooManyRequestsException, RequestTooLargeException,
        ResourceConflictException. The function's own errors are in the result's ``function_error``.
        """
        target = target_of(function, qualifier)
        owner = self.function(region, target.name)
        request_id = str(uuid.uuid4())
        route = pick_route(owner, target.qualifier, self.dice)
        version = self._invocable(owner, route)
        if invocation_type == "DryRun":
            return InvokeResult(204, b"", None, version.version, None, request_id)
        if invocation_type == "Event":
            require_fits(payload, MAX_ASYNC_PAYLOAD_BYTES)
            self._spec(owner, version)  # rejects a runtime that cannot run here
            self.enqueue(owner, target.qualifier, payload or b"{}", request_id, client_context)
            return InvokeResult(202, b"", None, version.version, None, request_id)
        require_fits(payload, MAX_SYNC_PAYLOAD_BYTES)
        invocation = Invocation(
            request_id, route.arn, payload or b"{}", client_context, trace_id or new_trace_id()
        )
        outcome = await self.run(owner, version, route, invocation)
        tail = outcome.log_tail if log_tail else None
        return InvokeResult(200, outcome.payload, outcome.function_error, version.version, tail, request_id)

    def enqueue(
        self,
        function: Function,
        qualifier: str | None,
        payload: bytes,
        request_id: str,
        client_context: str | None,
    ) -> None:
        """Accept an asynchronous invocation; implemented by `AsynchronousInvocations`."""
        raise NotImplementedError(f"{type(self).__name__} does not accept asynchronous invocations")

    async def run(
        self, function: Function, version: FunctionVersion, route: InvocationRoute, invocation: Invocation
    ) -> InvocationOutcome:
        """Run one admitted invocation and record its metrics at the time it began."""
        at = self.context.clock.time()
        readings = self.context.config.readings
        sets = dimension_sets(function.name, route, readings)
        throttles = dimension_sets(function.name, route, readings, throttled=True)
        spec = self._spec(function, version)
        siblings = self.state.region(function.region).functions.values()
        try:
            with self.concurrency.admit(function, siblings):
                self._record_concurrency(function, at)
                outcome = await self.sandbox.run(spec, invocation)
        except TimeoutError as error:
            self.metrics.record(function.region, throttles, at, {"Throttles": 1})
            raise throttled(
                "ConcurrentInvocationLimitExceeded",
                f"Rate Exceeded. All {self.context.config.max_workers} workers of this machine stayed busy for "
                f"{spec.timeout_s} s; start the cloud with more max_workers.",
            ) from error
        except AwsError:
            self.metrics.record(function.region, throttles, at, {"Throttles": 1})
            raise
        errors = float(outcome.function_error is not None)
        values = {"Invocations": 1.0, "Errors": errors, "Duration": outcome.duration_ms}
        self.metrics.record(function.region, sets, at, values)
        self._record_provisioned(function, route, at, provisioned=outcome.provisioned)
        return outcome

    def _invocable(self, function: Function, route: InvocationRoute) -> FunctionVersion:
        version = function.version(route.version)
        if version is None:
            return self.published_or_latest(function, route.version)  # raises
        if version.state != "Active":
            raise not_in_state_for_it(version.state)
        return version

    def _spec(self, function: Function, version: FunctionVersion) -> FunctionSpec:
        key = (function.region, function.name, version.version)
        spec = self._specs.get(key)
        if spec is None or spec.revision != version.revision_id:
            spec = self._specs[key] = spec_of(self, function, version)
        return spec

    def _record_concurrency(self, function: Function, at: float) -> None:
        current = float(self.concurrency.in_flight(function))
        values = {"ConcurrentExecutions": current}
        self.metrics.record(function.region, [{"FunctionName": function.name}, {}], at, values)
        if function.reserved_concurrency is None:
            rest = float(self.concurrency.unreserved_in_flight(function.region))
            self.metrics.record(function.region, [{}], at, {"UnreservedConcurrentExecutions": rest})

    def _record_provisioned(
        self, function: Function, route: InvocationRoute, at: float, *, provisioned: bool
    ) -> None:
        qualifier = route.resource.partition(":")[2]
        settings = function.provisioned.get(qualifier)
        if settings is None:
            return
        kind = "ProvisionedConcurrencyInvocations" if provisioned else "ProvisionedConcurrencySpilloverInvocations"
        sets = [{"FunctionName": function.name}, {"FunctionName": function.name, "Resource": route.resource}]
        used = float(self.concurrency.in_flight(function) + 1)
        values = {kind: 1.0}
        if provisioned:
            values["ProvisionedConcurrentExecutions"] = used
            values["ProvisionedConcurrencyUtilization"] = used / max(1, settings.requested)
        self.metrics.record(function.region, sets, at, values)


def require_fits(payload: bytes, most_bytes: int) -> None:
    """Raise RequestTooLargeException (413) if an event exceeds AWS's limit."""
    if len(payload) > most_bytes:
        raise AwsError(
            "RequestTooLargeException",
            f"Request must be smaller than {most_bytes} bytes for the InvokeFunction operation",
            Type="User",
        )


def new_trace_id() -> str:
    """An X-Ray trace header of an unsampled trace."""
    token = uuid.uuid4().hex
    return f"Root=1-{token[:8]}-{token[8:]};Parent={token[:16]};Sampled=0"
