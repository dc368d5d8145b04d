"""The service itself: rules, targets, buses, and events from clients and from the cloud's own services."""

import asyncio
import random
from typing import Any

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import CloudContext, Ports
from serinus.offline.core.service import Call
from serinus.offline.core.tags import PairedTagOperations
from serinus.offline.services.events.buses import BusOperations
from serinus.offline.services.events.delivery import EventDeliveries
from serinus.offline.services.events.event import (
    LARGEST_ENTRY_BYTES,
    Event,
    entry_event,
    entry_size_bytes,
    envelope,
)
from serinus.offline.services.events.rules import RuleOperations
from serinus.offline.services.events.snapshot import SavedBus, saved_buses, store_of
from serinus.offline.services.events.store import Bus, Document, invalid
from serinus.offline.services.events.targets import TargetOperations

MOST_ENTRIES = 10


class EventBridge(PairedTagOperations, TargetOperations, RuleOperations, BusOperations):
    """Archives, replays, API destinations, partner sources and pipes are rejected by name."""

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        self._saved_due: dict[str, float] = {}
        self.source = random.Random(context.config.seed)

    def connect(self, ports: Ports) -> None:
        self.deliveries = EventDeliveries(self.context, ports.functions, ports.metrics)

    async def start(self) -> None:
        """Schedule the restored rules."""
        for region, store in self.stores.items():
            for bus in store.buses.values():
                for rule in bus.rules.values():
                    self.schedule(region, rule, due=self._saved_due.get(rule.arn))

    def snapshot(self) -> dict[str, list[SavedBus]]:
        return {region: saved_buses(store) for region, store in self.stores.items()}

    def restore(self, saved: dict[str, list[SavedBus]]) -> None:
        for region, buses in saved.items():
            self.stores[region], due = store_of(buses)
            self._saved_due |= due

    async def stop(self) -> None:
        await self.deliveries.stop()

    def publish(self, region: str, event: Event) -> None:
        """Put an AWS service's event on the default bus of ``region``; call it from any thread.

        ``event`` must have "source" (such as "aws.codedeploy"), "detail-type" and "detail"; id, time (cloud time),
        account, region and resources have defaults.
        """
        whole = envelope(self.context.config.account_id, region, self.context.clock.time(), event)
        loop = self.context.loop
        if loop is None:
            raise AwsError("InternalException", "events were published before the cloud started")
        if loop is _running_loop():
            self.route(region, self.region(region).bus(None), whole)
        else:
            loop.call_soon_threadsafe(lambda: self.route(region, self.region(region).bus(None), whole))

    def route(self, region: str, bus: Bus, event: Event) -> None:
        """Start the delivery of ``event`` to every enabled rule whose pattern matches."""
        for rule in list(bus.rules.values()):
            if rule.enabled and rule.pattern is not None and rule.pattern.matches(event):
                self.deliveries.start(region, rule, event)

    async def put_events(self, call: Call) -> Document:
        entries = call.params["Entries"]
        if not 1 <= len(entries) <= MOST_ENTRIES:
            raise invalid(f"PutEvents requires 1 to {MOST_ENTRIES} entries (got {len(entries)})")
        total = sum(entry_size_bytes(entry) for entry in entries)
        if total > LARGEST_ENTRY_BYTES:
            raise invalid(f"Total size of the entries in the request is over the limit ({total} bytes).")
        answers = [self._put_entry(call, entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

    def _put_entry(self, call: Call, entry: dict[str, Any]) -> Document:
        try:
            event = entry_event(entry, call.account_id, call.region, self.context.clock.time())
        except AwsError as error:
            return {"ErrorCode": error.code, "ErrorMessage": error.message}
        bus_name = (entry.get("EventBusName") or "default").rpartition("event-bus/")[2]
        bus = self.store(call).buses.get(bus_name)
        # AWS accepts an event for a bus that does not exist, and drops it.
        if bus is not None:
            self.route(call.region, bus, event)
        return {"EventId": event["id"]}

    def tags_of(self, call: Call) -> dict[str, str]:
        return self.store(call).tagged(call.params["ResourceARN"])


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
