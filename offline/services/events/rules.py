"""Rules: PutRule, DescribeRule, EnableRule and the like, and their schedules."""

import json
import random
from typing import Any

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.schedule_expression import parse_schedule
from serinus.offline.core.service import Call
from serinus.offline.core.tags import from_pairs
from serinus.offline.services.events.base import EventsBase, page
from serinus.offline.services.events.delivery import EventDeliveries
from serinus.offline.services.events.event import scheduled_event
from serinus.offline.services.events.pattern import Pattern
from serinus.offline.services.events.store import DEFAULT_BUS, Bus, Document, EventRule, invalid, rule_arn

STATES = ("ENABLED", "DISABLED")


class RuleOperations(EventsBase):
    deliveries: EventDeliveries
    #: Draws the delays of schedules.
    source: random.Random

    async def put_rule(self, call: Call) -> Document:
        bus, name = self.bus(call), call.params["Name"]
        pattern, expression = call.params.get("EventPattern"), call.params.get("ScheduleExpression")
        if not pattern and not expression:
            raise invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
        if expression and bus.name != DEFAULT_BUS:
            raise invalid("ScheduleExpression is supported only on the default event bus.")
        state = call.params.get("State") or "ENABLED"
        if state not in STATES:
            raise NotModelled(f"events: the rule state {state}", "Use ENABLED or DISABLED.")
        arn = rule_arn(call.region, call.account_id, bus.name, name)
        before = bus.rules.get(name)
        rule = EventRule(
            {"Name": name, "State": state, "EventBusName": bus.name}
            | {key: call.params[key] for key in OPTIONAL if call.params.get(key)},
            arn,
            Pattern(pattern) if pattern else None,
            parse_schedule(expression) if expression else None,
            before.targets if before else {},
            before.tags if before else from_pairs(call.params.get("Tags")),
        )
        if before is not None:
            unschedule(before)
        bus.rules[name] = rule
        self.schedule(call.region, rule)
        return {"RuleArn": arn}

    async def describe_rule(self, call: Call) -> Document:
        return described(self.rule(call)) | {"CreatedBy": call.account_id}

    async def list_rules(self, call: Call) -> Document:
        prefix = call.params.get("NamePrefix") or ""
        rules = self.bus(call).rules.values()
        return page(call, "Rules", [described(rule) for rule in rules if rule.name.startswith(prefix)])

    async def list_rule_names_by_target(self, call: Call) -> Document:
        target_arn = call.params["TargetArn"]
        rules = self.bus(call).rules.values()
        named = [
            rule.name for rule in rules if any(target["Arn"] == target_arn for target in rule.targets.values())
        ]
        return page(call, "RuleNames", named)

    async def enable_rule(self, call: Call) -> Document:
        rule = self.rule(call)
        rule.document["State"] = "ENABLED"
        self.schedule(call.region, rule)
        return {}

    async def disable_rule(self, call: Call) -> Document:
        rule = self.rule(call)
        rule.document["State"] = "DISABLED"
        unschedule(rule)
        return {}

    async def delete_rule(self, call: Call) -> Document:
        bus = self.bus(call)
        rule = bus.rules.get(call.params["Name"])
        if rule is None:
            return {}
        if rule.targets:
            raise invalid("Rule can't be deleted since it has targets.")
        unschedule(rule)
        del bus.rules[rule.name]
        return {}

    async def test_event_pattern(self, call: Call) -> Document:
        event = parsed_event(call.params["Event"])
        return {"Result": Pattern(call.params["EventPattern"]).matches(event)}

    def rule(self, call: Call) -> EventRule:
        return self.bus(call).rule(call.params.get("Name") or call.params["Rule"])

    def schedule(
        self, region: str, rule: EventRule, *, after: float | None = None, due: float | None = None
    ) -> None:
        """Set the next run of an enabled rule that has a schedule: at ``due`` unless that has passed."""
        unschedule(rule)
        if rule.schedule is None or not rule.enabled:
            return
        now = self.context.clock.time()
        if due is None or due < now:
            due = rule.schedule.next_after(now if after is None else after)
        if due is None:
            return

        async def run() -> None:
            self.schedule(region, rule, after=due)
            event = scheduled_event(self.context.config.account_id, region, rule.arn, due)
            await self.deliveries.to_targets(region, rule, event)

        # The finest resolution is a minute, and the target may run several seconds after its beginning.
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
        delay_s = self.context.config.readings.schedule_delay.sample(self.source)
        rule.due = self.context.clock.call_at(due + delay_s, run, name=f"rule {rule.name}")


OPTIONAL = ("EventPattern", "ScheduleExpression", "Description", "RoleArn")


def described(rule: EventRule) -> Document:
    return {"Arn": rule.arn, **rule.document}


def unschedule(rule: EventRule) -> None:
    if rule.due is not None:
        rule.due.cancel()
        rule.due = None


def parsed_event(text: str) -> dict[str, Any]:
    try:
        event: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise invalid(f"Parameter Event is not valid JSON: {error}") from error
    return event


def clear(bus: Bus) -> None:
    for rule in bus.rules.values():
        unschedule(rule)
