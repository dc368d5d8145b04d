"""Buses, rules and targets of a region, and their ARNs."""

from dataclasses import dataclass, field
from typing import Any

from serinus.offline.core.clock import ScheduledJob
from serinus.offline.core.errors import AwsError
from serinus.offline.core.schedule_expression import Schedule
from serinus.offline.services.events.pattern import Pattern

Document = dict[str, Any]
DEFAULT_BUS = "default"


@dataclass(slots=True)
class EventRule:
    """A rule; ``due`` is its next run, if it has a schedule and is enabled."""

    document: Document
    arn: str
    pattern: Pattern | None = None
    schedule: Schedule | None = None
    targets: dict[str, Document] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    due: ScheduledJob | None = None

    @property
    def name(self) -> str:
        return str(self.document["Name"])

    @property
    def enabled(self) -> bool:
        return bool(self.document["State"] != "DISABLED")


@dataclass(slots=True)
class Bus:
    name: str
    arn: str
    created: float
    description: str | None = None
    rules: dict[str, EventRule] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def rule(self, name: str) -> EventRule:
        try:
            return self.rules[name]
        except KeyError:
            raise not_found(f"Rule {name} does not exist on EventBus {self.name}.") from None


@dataclass(slots=True)
class EventBusStore:
    buses: dict[str, Bus]

    def bus(self, name_or_arn: str | None) -> Bus:
        name = (name_or_arn or DEFAULT_BUS).rpartition("event-bus/")[2]
        try:
            return self.buses[name]
        except KeyError:
            raise not_found(f"Event bus {name} does not exist.") from None

    def tagged(self, arn: str) -> dict[str, str]:
        for bus in self.buses.values():
            if bus.arn == arn:
                return bus.tags
            for rule in bus.rules.values():
                if rule.arn == arn:
                    return rule.tags
        raise not_found(f"Rule {arn.rpartition('/')[2]} does not exist on EventBus default.")


def not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message)


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def rule_arn(region: str, account_id: str, bus: str, name: str) -> str:
    path = name if bus == DEFAULT_BUS else f"{bus}/{name}"
    return f"arn:aws:events:{region}:{account_id}:rule/{path}"


def bus_arn(region: str, account_id: str, name: str) -> str:
    return f"arn:aws:events:{region}:{account_id}:event-bus/{name}"
