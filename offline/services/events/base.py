"""What every family of EventBridge operations needs: the caller's region, pages, refusals."""

from typing import TYPE_CHECKING, Any

from serinus.offline.core import pages
from serinus.offline.core.errors import AwsError
from serinus.offline.core.service import Call, Service
from serinus.offline.services.events.store import DEFAULT_BUS, Bus, Document, RegionStore, bus_arn

if TYPE_CHECKING:
    from serinus.offline.cloud.cloud import Cloud

LARGEST_PAGE = 100


class EventsBase(Service):
    """Operations are coroutines, so that store and schedules are touched on the event loop only."""

    name = "events"
    missing_parameter = "ValidationException"

    def __init__(self, cloud: "Cloud") -> None:
        super().__init__(cloud)
        self.stores: dict[str, RegionStore] = {}

    def region(self, region: str) -> RegionStore:
        if region not in self.stores:
            arn = bus_arn(region, self.cloud.config.account_id, DEFAULT_BUS)
            self.stores[region] = RegionStore({DEFAULT_BUS: Bus(DEFAULT_BUS, arn, self.cloud.clock.time())})
        return self.stores[region]

    def store(self, call: Call) -> RegionStore:
        return self.region(call.region)

    def bus(self, call: Call) -> Bus:
        return self.store(call).bus(call.params.get("EventBusName"))


def page(call: Call, key: str, documents: list[Any]) -> Document:
    """One page by ``Limit`` and ``NextToken``."""
    limit, token = int(call.params.get("Limit") or LARGEST_PAGE), call.params.get("NextToken")
    unknown = AwsError(
        "ValidationException", f"The token {token!r} was not given out by this operation.", status=400
    )
    shown, more = pages.page(
        documents, limit, token, operation=call.operation, member="NextToken", unknown=unknown
    )
    return {key: shown, **more}
