"""Shared by EventBridge's families of operations: the caller's region, pages, rejections."""

from typing import Any

from serinus.offline.core import pages
from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import CloudContext
from serinus.offline.core.service import Call, Service
from serinus.offline.services.events.store import DEFAULT_BUS, Bus, Document, EventBusStore, bus_arn

LARGEST_PAGE = 100


class EventsBase(Service):
    """Operations are coroutines, so that store and schedules are accessed on the event loop only."""

    name = "events"
    missing_parameter = "ValidationException"

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        self.stores: dict[str, EventBusStore] = {}

    def region(self, region: str) -> EventBusStore:
        if region not in self.stores:
            arn = bus_arn(region, self.context.config.account_id, DEFAULT_BUS)
            self.stores[region] = EventBusStore({DEFAULT_BUS: Bus(DEFAULT_BUS, arn, self.context.clock.time())})
        return self.stores[region]

    def store(self, call: Call) -> EventBusStore:
        return self.region(call.region)

    def bus(self, call: Call) -> Bus:
        return self.store(call).bus(call.params.get("EventBusName"))


def page(call: Call, key: str, documents: list[Any]) -> Document:
    """One page by ``Limit`` and ``NextToken``."""
    limit, token = int(call.params.get("Limit") or LARGEST_PAGE), call.params.get("NextToken")
    unknown = AwsError(
        "ValidationException", f"The token {token!r} was not returned by this operation.", status=400
    )
    shown, more = pages.page(
        documents, limit, token, operation=call.operation, member="NextToken", unknown=unknown
    )
    return {key: shown, **more}
