"""Asynchronous invocation: a queue of accepted events, retries on cloud time, and destinations.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html,
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
from typing import Any

from serinus.offline.core.errors import AwsError
from serinus.offline.sandbox.spec import Invocation, InvocationOutcome
from serinus.offline.services.lambda_.destinations import Delivery, deliver_record, deliver_to_dead_letter_queue
from serinus.offline.services.lambda_.invocation import Invocations, new_trace_id
from serinus.offline.services.lambda_.routing import InvocationRoute, pick_route
from serinus.offline.services.lambda_.shapes import timestamp
from serinus.offline.services.lambda_.state import LATEST, EventInvokeConfig, Function, QueuedEvent

#: Cloud seconds before the first and the second retry after a function error.
RETRY_DELAYS_S = (60.0, 120.0)
#: Throttled events are retried after one second, then with growing delays of at most five minutes.
FIRST_BACKOFF_S = 1.0
LAST_BACKOFF_S = 300.0
DEFAULT_RETRY_ATTEMPTS = 2
DEFAULT_EVENT_AGE_S = 21_600


class AsynchronousInvocations(Invocations):
    """Accepts Event invocations and settles each: done, dead-lettered, or sent to its destination."""

    def enqueue(
        self,
        function: Function,
        qualifier: str | None,
        payload: bytes,
        request_id: str,
        client_context: str | None,
    ) -> None:
        accepted = self.context.clock.time()
        event = QueuedEvent(
            request_id, function.region, function.name, qualifier, payload, accepted, client_context
        )
        self.state.events[request_id] = event
        sets = [{"FunctionName": function.name}, {}]
        self.metrics.record(function.region, sets, accepted, {"AsyncEventsReceived": 1.0})
        self.in_background(self._attempt(event))

    def resume_events(self) -> None:
        """Resume the events that were not settled when the cloud last ended."""
        for event in list(self.state.events.values()):
            if event.due > self.context.clock.time():
                self._attempt_when_due(event)
            else:
                self.in_background(self._attempt(event))

    async def _attempt(self, event: QueuedEvent) -> None:
        function = self.state.region(event.region).functions.get(event.function)
        if function is None:
            self.state.events.pop(event.request_id, None)
            return
        settings = self._settings(function, event.qualifier)
        route = pick_route(function, event.qualifier, self.dice)
        age_s = self.context.clock.time() - event.accepted
        if function.reserved_concurrency == 0:
            await self._fail(function, event, route, "ZeroReservedConcurrency", None)
        elif age_s > (settings.maximum_event_age_s or DEFAULT_EVENT_AGE_S):
            await self._fail(function, event, route, "EventAgeExceeded", None)
        else:
            await self._run_event(function, settings, event, route)

    async def _run_event(
        self, function: Function, settings: EventInvokeConfig, event: QueuedEvent, route: InvocationRoute
    ) -> None:
        at = self.context.clock.time()
        invocation = Invocation(event.request_id, route.arn, event.payload, event.client_context, new_trace_id())
        try:
            # No client waits for a response, but a schedule's or hook's work must not seem late for lack of CPU.
            with self.context.clock.awaiting():
                outcome = await self.run(function, self._invocable(function, route), route, invocation)
        except AwsError:
            delay_s = min(FIRST_BACKOFF_S * 2**event.throttles, LAST_BACKOFF_S)
            event.throttles += 1
            self._again(event, delay_s)
            return
        age_ms = (at - event.accepted) * 1000
        self.metrics.record(function.region, [{"FunctionName": function.name}], at, {"AsyncEventAge": age_ms})
        event.attempts += 1
        if outcome.function_error is None:
            await self._settle(function, event, route, "OnSuccess", "Success", outcome)
            return
        retries = settings.maximum_retry_attempts
        retries = DEFAULT_RETRY_ATTEMPTS if retries is None else retries
        if event.attempts <= retries:
            self._again(event, RETRY_DELAYS_S[event.attempts - 1])
        else:
            await self._fail(function, event, route, "RetriesExhausted", outcome)

    def _again(self, event: QueuedEvent, delay_s: float) -> None:
        event.due = self.context.clock.time() + delay_s
        self._attempt_when_due(event)

    def _attempt_when_due(self, event: QueuedEvent) -> None:
        self.context.clock.call_at(event.due, lambda: self._attempt(event), name=f"retry {event.request_id}")

    async def _fail(
        self,
        function: Function,
        event: QueuedEvent,
        route: InvocationRoute,
        condition: str,
        outcome: InvocationOutcome | None,
    ) -> None:
        sets = [{"FunctionName": function.name}, {}]
        self.metrics.record(function.region, sets, self.context.clock.time(), {"AsyncEventsDropped": 1.0})
        version = function.version(route.version) or function.latest
        queue = version.configuration["DeadLetterConfig"].get("TargetArn")
        if queue:
            answer = _readable(outcome.payload) if outcome else None
            error = answer.get("errorMessage", condition) if isinstance(answer, dict) else condition
            delivery = Delivery(self.context, function.region, queue)
            failed = await deliver_to_dead_letter_queue(delivery, event, str(error))
            self._count_failed_delivery(function, "DeadLetterErrors", failed=failed)
        await self._settle(function, event, route, "OnFailure", condition, outcome)

    async def _settle(
        self,
        function: Function,
        event: QueuedEvent,
        route: InvocationRoute,
        kind: str,
        condition: str,
        outcome: InvocationOutcome | None,
    ) -> None:
        self.state.events.pop(event.request_id, None)
        destinations = self._settings(function, event.qualifier).destinations
        arn = destinations.get(kind, {}).get("Destination")
        if arn:
            record = self._record(function, event, route, condition, outcome)
            failed = await deliver_record(Delivery(self.context, function.region, arn), record, kind)
            self._count_failed_delivery(function, "DestinationDeliveryFailures", failed=failed)

    def _count_failed_delivery(self, function: Function, metric: str, *, failed: bool) -> None:
        if failed:
            sets = [{"FunctionName": function.name}, {}]
            self.metrics.record(function.region, sets, self.context.clock.time(), {metric: 1.0})

    def _settings(self, function: Function, qualifier: str | None) -> EventInvokeConfig:
        return function.event_invoke.get(qualifier or LATEST) or EventInvokeConfig(0.0)

    def _record(
        self,
        function: Function,
        event: QueuedEvent,
        route: InvocationRoute,
        condition: str,
        outcome: InvocationOutcome | None,
    ) -> dict[str, Any]:
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": timestamp(self.context.clock.time()).replace("+0000", "Z"),
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": f"{function.arn}:{event.qualifier or LATEST}",
                "condition": condition,
                "approximateInvokeCount": event.attempts,
            },
            "requestPayload": _readable(event.payload),
        }
        if outcome is not None:
            context: dict[str, Any] = {"statusCode": 200, "executedVersion": route.version}
            if outcome.function_error is not None:
                context["functionError"] = outcome.function_error
            record |= {"responseContext": context, "responsePayload": _readable(outcome.payload)}
        return record


def _readable(payload: bytes) -> Any:
    """A payload for a record: as JSON, or as text if a function returned other bytes."""
    try:
        return json.loads(payload or b"null")
    except ValueError:
        return payload.decode(errors="replace")
