"""Rules in a state folder: their documents, from which patterns and schedules are rebuilt."""

from dataclasses import dataclass

from serinus.offline.core.schedule_expression import parse_schedule
from serinus.offline.services.events.pattern import Pattern
from serinus.offline.services.events.store import Bus, Document, EventBusStore, EventRule


@dataclass(frozen=True, slots=True)
class SavedRule:
    """A rule and the cloud time of its next run, if it has one."""

    document: Document
    arn: str
    targets: dict[str, Document]
    tags: dict[str, str]
    due: float | None


@dataclass(frozen=True, slots=True)
class SavedBus:
    name: str
    arn: str
    created: float
    description: str | None
    tags: dict[str, str]
    rules: list[SavedRule]


def saved_buses(store: EventBusStore) -> list[SavedBus]:
    return [
        SavedBus(
            bus.name, bus.arn, bus.created, bus.description, bus.tags, [_saved(r) for r in bus.rules.values()]
        )
        for bus in store.buses.values()
    ]


def _saved(rule: EventRule) -> SavedRule:
    due = rule.due.due if rule.due is not None else None
    return SavedRule(rule.document, rule.arn, rule.targets, rule.tags, due)


def store_of(buses: list[SavedBus]) -> tuple[EventBusStore, dict[str, float]]:
    """A region's restored buses, and the due time of each rule by ARN; nothing is scheduled yet."""
    store = EventBusStore({})
    due: dict[str, float] = {}
    for bus in buses:
        rules = {rule.document["Name"]: _rule(rule) for rule in bus.rules}
        store.buses[bus.name] = Bus(bus.name, bus.arn, bus.created, bus.description, rules, bus.tags)
        due |= {rule.arn: rule.due for rule in bus.rules if rule.due is not None}
    return store, due


def _rule(saved: SavedRule) -> EventRule:
    pattern, expression = saved.document.get("EventPattern"), saved.document.get("ScheduleExpression")
    return EventRule(
        saved.document,
        saved.arn,
        Pattern(pattern) if pattern else None,
        parse_schedule(expression) if expression else None,
        saved.targets,
        saved.tags,
    )
