"""Rules brought back from what a state folder keeps."""

import pickle

from serinus.offline.core.clock import ScheduledJob
from serinus.offline.core.schedule_expression import parse_schedule
from serinus.offline.services.events.pattern import Pattern
from serinus.offline.services.events.snapshot import saved_buses, store_of
from serinus.offline.services.events.store import Bus, EventBusStore, EventRule


async def never() -> None:
    raise AssertionError("a saved rule's job was run")


def test_patterns_schedules_and_due_times_come_back() -> None:
    timed = EventRule(
        {"Name": "timed", "State": "ENABLED", "ScheduleExpression": "rate(5 minutes)"},
        "arn:timed",
        schedule=parse_schedule("rate(5 minutes)"),
        due=ScheduledJob(1000.0, 1, never, "timed"),
    )
    text = '{"source": ["kept"]}'
    matched = EventRule(
        {"Name": "matched", "State": "DISABLED", "EventPattern": text},
        "arn:matched",
        Pattern(text),
        targets={"q": {"Id": "q", "Arn": "arn:queue"}},
        tags={"a": "b"},
    )
    store = EventBusStore({"default": Bus("default", "arn:bus", 1.0, None, {"timed": timed, "matched": matched})})
    kept = pickle.loads(pickle.dumps(saved_buses(store)))
    again, due = store_of(kept)
    assert due == {"arn:timed": 1000.0}
    rules = again.bus(None).rules
    assert rules["timed"].schedule == timed.schedule
    assert rules["matched"].pattern is not None
    assert rules["matched"].pattern.matches({"source": "kept"})
    assert (rules["matched"].targets, rules["matched"].tags) == (matched.targets, matched.tags)
    assert not rules["matched"].enabled
