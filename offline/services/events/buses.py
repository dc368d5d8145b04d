"""Event buses: the default bus of each region, and custom ones."""

from datetime import UTC, datetime

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.service import Call
from serinus.offline.core.tags import from_pairs
from serinus.offline.services.events.base import EventsBase, page
from serinus.offline.services.events.rules import clear
from serinus.offline.services.events.store import DEFAULT_BUS, Bus, Document, bus_arn, invalid


class BusOperations(EventsBase):
    async def create_event_bus(self, call: Call) -> Document:
        store, name = self.store(call), call.params["Name"]
        for member in ("EventSourceName", "KmsKeyIdentifier", "LogConfig"):
            if call.params.get(member):
                raise NotModelled(f"events: {member} of an event bus")
        if name in store.buses:
            raise AwsError("ResourceAlreadyExistsException", f"Event bus {name} already exists.")
        arn = bus_arn(call.region, call.account_id, name)
        store.buses[name] = Bus(
            name,
            arn,
            self.context.clock.time(),
            call.params.get("Description"),
            tags=from_pairs(call.params.get("Tags")),
        )
        return {"EventBusArn": arn}

    async def describe_event_bus(self, call: Call) -> Document:
        return described(self.store(call).bus(call.params.get("Name")))

    async def list_event_buses(self, call: Call) -> Document:
        prefix = call.params.get("NamePrefix") or ""
        buses = self.store(call).buses.values()
        return page(call, "EventBuses", [described(bus) for bus in buses if bus.name.startswith(prefix)])

    async def delete_event_bus(self, call: Call) -> Document:
        name = call.params["Name"]
        if name == DEFAULT_BUS:
            raise invalid("Cannot delete event bus default.")
        bus = self.store(call).buses.pop(name, None)
        if bus is not None:
            clear(bus)
        return {}


def described(bus: Bus) -> Document:
    document: Document = {
        "Name": bus.name,
        "Arn": bus.arn,
        "CreationTime": datetime.fromtimestamp(bus.created, UTC),
    }
    return document | ({"Description": bus.description} if bus.description else {})
