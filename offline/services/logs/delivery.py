"""Delivers log events to the functions of subscription filters: in batches of a stream, at least once.

A batch gathers events for a second of cloud time; then a job of the clock passes it to Lambda's queue of
asynchronous invocations. Until that accepts it, it is part of the state. A throttled delivery is repeated
for 24 hours; after a final refusal the filter pauses for ten minutes, in which its events are skipped.
Sources: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-cloudwatchlogs.html
"""

import base64
import gzip
import json
import logging
import uuid
from dataclasses import dataclass, field
from typing import Any

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import CloudContext, FunctionInvoker

log = logging.getLogger(__name__)

#: Cloud seconds for which a batch gathers events; AWS states none ("near real time").
GATHERED_S = 1.0
#: Bytes of messages in a batch: less than an asynchronous invocation may have, even if nothing can be compressed.
LARGEST_BATCH_BYTES = 512 * 1024
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 300.0
RETRIED_FOR_S = 86_400.0
PAUSE_S = 600.0
#: Errors after which a delivery is not repeated.
FINAL = frozenset({"AccessDeniedException", "ResourceNotFoundException"})
EVENT_ID_DIGITS = 56

#: A filter: region, log group, name.
FilterKey = tuple[str, str, str]


@dataclass(slots=True)
class Batch:
    """Events of one stream for one filter's function; ``due`` and ``since`` are cloud times."""

    filter: FilterKey
    stream: str
    destination: str
    since: float
    due: float
    attempts: int = 0
    size_bytes: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def payload(self, account_id: str) -> bytes:
        """The event that the function receives."""
        document = {
            "messageType": "DATA_MESSAGE",
            "owner": account_id,
            "logGroup": self.filter[1],
            "logStream": self.stream,
            "subscriptionFilters": [self.filter[2]],
            "logEvents": self.events,
        }
        data = base64.b64encode(gzip.compress(json.dumps(document).encode(), compresslevel=1))
        return json.dumps({"awslogs": {"data": data.decode()}}).encode()


@dataclass(slots=True)
class SubscriptionState:
    """What a state folder keeps: undelivered batches, and until when a filter pauses."""

    batches: list[Batch] = field(default_factory=list)
    paused_until: dict[FilterKey, float] = field(default_factory=dict)


class LogDeliveries:
    """Runs on the event loop, where the state is written too: no event is both stored and undelivered in it."""

    def __init__(self, context: CloudContext, functions: FunctionInvoker) -> None:
        self._context = context
        self._functions = functions
        self._gathering: dict[tuple[FilterKey, str], Batch] = {}
        self.state = SubscriptionState()

    def resume(self) -> None:
        """Schedule the restored batches."""
        for batch in self.state.batches:
            self._when_due(batch)

    def add(self, key: FilterKey, stream: str, destination: str, events: list[tuple[int, str]]) -> None:
        """Deliver ``events`` (timestamp in ms, message) of a stream."""
        now = self._context.clock.time()
        if now < self.state.paused_until.get(key, 0.0):
            return
        for timestamp, message in events:
            batch = self._open_batch(key, stream, destination, len(message), now)
            batch.events.append({"id": event_id(timestamp), "timestamp": timestamp, "message": message})
            batch.size_bytes += len(message.encode())

    def _open_batch(self, key: FilterKey, stream: str, destination: str, size_bytes: int, now: float) -> Batch:
        batch = self._gathering.get((key, stream))
        fits = batch is not None and batch.size_bytes + size_bytes <= LARGEST_BATCH_BYTES
        if batch is None or not fits or batch.destination != destination:
            batch = Batch(key, stream, destination, now, now + GATHERED_S)
            self._gathering[key, stream] = batch
            self.state.batches.append(batch)
            self._when_due(batch)
        return batch

    def _when_due(self, batch: Batch) -> None:
        self._context.clock.call_at(batch.due, lambda: self._deliver(batch), name=f"filter {batch.filter[2]}")

    async def _deliver(self, batch: Batch) -> None:
        if self._gathering.get((batch.filter, batch.stream)) is batch:
            del self._gathering[batch.filter, batch.stream]
        try:
            await self._invoke(batch)
        except AwsError as error:
            self._failed(batch, error)
        else:
            self.state.batches.remove(batch)

    async def _invoke(self, batch: Batch) -> None:
        region, group, _ = batch.filter
        if not may_invoke(self._functions, self._context.config.account_id, region, group, batch.destination):
            raise AwsError("AccessDeniedException", f"{batch.destination} does not allow logs.amazonaws.com")
        name, qualifier = function_of(batch.destination)
        payload = batch.payload(self._context.config.account_id)
        await self._functions.invoke(name, qualifier, payload, region=region, invocation_type="Event")

    def _failed(self, batch: Batch, error: AwsError) -> None:
        now = self._context.clock.time()
        if error.code in FINAL or now - batch.since >= RETRIED_FOR_S:
            self.state.batches.remove(batch)
            if error.code in FINAL:
                self.state.paused_until[batch.filter] = now + PAUSE_S
            log.warning("filter %s of %s: %s", batch.filter[2], batch.filter[1], error.message)
            return
        batch.due = now + min(FIRST_DELAY_S * 2**batch.attempts, LONGEST_DELAY_S)
        batch.attempts += 1
        self._when_due(batch)


def may_invoke(functions: FunctionInvoker, account_id: str, region: str, group: str, destination: str) -> bool:
    """Whether the function's resource policy lets CloudWatch Logs invoke it for a log group; raises `AwsError` if
    there is no such function. The ARN of a group ends with ``:*`` there, so a policy without it does not apply."""
    name, qualifier = function_of(destination)
    source_arn = f"arn:aws:logs:{region}:{account_id}:log-group:{group}:*"
    return any(
        functions.allows(region, name, qualifier, principal=principal, source_arn=source_arn)
        for principal in ("logs.amazonaws.com", f"logs.{region}.amazonaws.com")
    )


def function_of(destination: str) -> tuple[str, str | None]:
    """The name and the qualifier of a function's ARN."""
    parts = destination.split(":")
    return parts[6], parts[7] if len(parts) > 7 else None


def event_id(timestamp: int) -> str:
    """A unique id of 56 digits that begins with the event's time, as AWS's do."""
    rest = EVENT_ID_DIGITS - 15
    return f"{timestamp:015d}{uuid.uuid4().int % 10**rest:0{rest}d}"
