"""CloudWatch's state by region, and the base that its groups of operations share."""

from dataclasses import dataclass, field

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import CloudContext
from serinus.offline.core.service import Service
from serinus.offline.services.cloudwatch.alarms import Alarm, HistoryItem
from serinus.offline.services.cloudwatch.store import MetricStore
from serinus.offline.services.cloudwatch.visibility import Visibility


@dataclass(slots=True)
class Dashboard:
    """A dashboard as put; the body is JSON text. ``modified_at`` in cloud epoch seconds."""

    name: str
    body: str
    modified_at: float


@dataclass(slots=True)
class MetricRegion:
    """One region's metrics, alarms, their history (oldest first) and dashboards: plain, picklable data."""

    store: MetricStore = field(default_factory=MetricStore)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    history: list[HistoryItem] = field(default_factory=list)
    dashboards: dict[str, Dashboard] = field(default_factory=dict)


class Regional(Service):
    """A service with state by region."""

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        self.regions: dict[str, MetricRegion] = {}
        self.visibility = Visibility(context)

    def region(self, name: str) -> MetricRegion:
        """The region's state; setdefault on a dict is atomic, so any thread may call."""
        return self.regions.get(name) or self.regions.setdefault(name, MetricRegion())

    def store(self, region: str) -> MetricStore:
        return self.region(region).store


def invalid(message: str, code: str = "InvalidParameterValue") -> AwsError:
    """An error about a parameter."""
    return AwsError(code, message, status=400)


def malformed(message: str) -> AwsError:
    """The error of operations on alarms, whose model has no specific one."""
    return AwsError("ValidationError", message, status=400)
