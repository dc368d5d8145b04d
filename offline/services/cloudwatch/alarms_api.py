"""The operations on alarms. All run on the event loop, where the alarm engine lives."""

import re
from collections.abc import Callable
from typing import Any

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.ports import Ports
from serinus.offline.core.service import Call
from serinus.offline.core.tags import PairedTagOperations, from_pairs
from serinus.offline.services.cloudwatch.actions import check_actions
from serinus.offline.services.cloudwatch.alarm_engine import AlarmEngine, state_of
from serinus.offline.services.cloudwatch.alarms import (
    ACTIONS,
    Alarm,
    AlarmState,
    AlarmType,
    HistoryItem,
    compact_json,
    newborn,
)
from serinus.offline.services.cloudwatch.base import Regional, malformed
from serinus.offline.services.cloudwatch.metric_alarm import watch_of
from serinus.offline.services.cloudwatch.pages import page
from serinus.offline.services.cloudwatch.rule_expression import InvalidRule, parse_rule
from serinus.offline.services.cloudwatch.store import dimensions_of

MAX_NAME = 255
MAX_TAGS = 50
MAX_DELETED = 100
NOT_MODELLED_OF_COMPOSITES = (
    "ActionsSuppressor",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
    "ActionConfiguration",
)


class AlarmsApi(PairedTagOperations, Regional):
    """Operations of CloudWatch on alarms, by region."""

    def connect(self, ports: Ports) -> None:
        self.engine = AlarmEngine(self.context, self.regions, ports.functions, ports.events)

    async def put_metric_alarm(self, call: Call) -> dict[str, Any]:
        settings = dict(call.params)
        settings["TreatMissingData"] = watch_of(settings).missing
        self._put(call, settings, "MetricAlarm")
        return {}

    async def put_composite_alarm(self, call: Call) -> dict[str, Any]:
        for name in NOT_MODELLED_OF_COMPOSITES:
            if name in call.params:
                raise NotModelled(f"{name} of PutCompositeAlarm")
        alarms = self.region(call.region).alarms
        try:
            rule = parse_rule(call.params["AlarmRule"])
        except InvalidRule as error:
            raise malformed(f"Error in AlarmRule: {error}.") from error
        unknown = [name for name in rule.alarms if not state_of(alarms, name)]
        if unknown:
            listed = ", ".join(unknown)
            raise malformed(
                f"Could not save the composite alarm as alarms [{listed}] in the alarm rule do not exist"
            )
        alarm = self._put(call, dict(call.params), "CompositeAlarm")
        children = tuple((alarms[name].arn, alarms[name].state) for name in map(_bare, rule.alarms))
        why = f"{alarm.arn} was created and its alarm rule evaluates to {{state}}"
        await self.engine.evaluate_composite(call.region, alarm, why, children)
        return {}

    async def describe_alarms(self, call: Call) -> dict[str, Any]:
        params, region = call.params, self.region(call.region)
        names, prefix = params.get("AlarmNames"), params.get("AlarmNamePrefix")
        if names is not None and prefix is not None:
            raise malformed("AlarmNames and AlarmNamePrefix must not be specified together.")
        types = params.get("AlarmTypes", ["MetricAlarm"])
        if "LogAlarm" in types:
            raise NotModelled("log alarms (AlarmTypes LogAlarm)")
        matches = [
            alarm
            for name, alarm in sorted(region.alarms.items())
            if alarm.kind in types and (names is None or name in names) and name.startswith(prefix or "")
        ]
        matches = [alarm for alarm in matches if self._related(call.region, alarm, params)]
        shown, token = page(matches, params.get("MaxRecords", 50), call)
        return {
            "MetricAlarms": [alarm.described() for alarm in shown if alarm.kind == "MetricAlarm"],
            "CompositeAlarms": [alarm.described() for alarm in shown if alarm.kind == "CompositeAlarm"],
        } | token

    async def describe_alarms_for_metric(self, call: Call) -> dict[str, Any]:
        params = call.params
        criteria = ("Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Period", "Unit")

        def watches(alarm: Alarm) -> bool:
            settings = alarm.settings
            return (
                alarm.kind == "MetricAlarm"
                and all(settings.get(name) == params[name] for name in criteria if name in params)
                and dimensions_of(settings.get("Dimensions", [])) == dimensions_of(params.get("Dimensions", []))
            )

        alarms = self.region(call.region).alarms
        return {"MetricAlarms": [alarm.described() for _, alarm in sorted(alarms.items()) if watches(alarm)]}

    async def describe_alarm_history(self, call: Call) -> dict[str, Any]:
        params = call.params
        types = params.get("AlarmTypes", ["MetricAlarm"])
        start, end = (_epoch(params.get(name)) for name in ("StartDate", "EndDate"))
        items = [
            item
            for item in self.region(call.region).history
            if item.alarm == params.get("AlarmName", item.alarm)
            and (item.kind in types or ("AlarmName" in params and "AlarmTypes" not in params))
            and item.type == params.get("HistoryItemType", item.type)
            and (start is None or item.at >= start)
            and (end is None or item.at <= end)
        ]
        if params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            items.reverse()
        shown, token = page(items, params.get("MaxRecords", 100), call)
        return {"AlarmHistoryItems": [item.described() for item in shown]} | token

    async def delete_alarms(self, call: Call) -> dict[str, Any]:
        names, region = call.params["AlarmNames"], self.region(call.region)
        if len(names) > MAX_DELETED:
            raise malformed(f"{len(names)} alarms are named; at most {MAX_DELETED} can be deleted in one call.")
        present = [region.alarms[name] for name in dict.fromkeys(names) if name in region.alarms]
        if sum(alarm.kind == "CompositeAlarm" for alarm in present) > 1:
            raise malformed("At most one composite alarm can be deleted in one call.")
        for alarm in present:
            self._check_unused(region.alarms, alarm)
        for alarm in present:
            del region.alarms[alarm.name]
            self._remember(call.region, alarm, f'Alarm "{alarm.name}" deleted', {"type": "Delete"})
        return {}

    async def set_alarm_state(self, call: Call) -> dict[str, Any]:
        params = call.params
        alarm = self._alarm(call.region, params["AlarmName"])
        if params["StateValue"] not in ACTIONS:
            raise malformed(f"StateValue is {params['StateValue']!r}; it must be one of {', '.join(ACTIONS)}.")
        state = AlarmState(
            params["StateValue"], params["StateReason"], self.context.clock.time(), params.get("StateReasonData")
        )
        await self.engine.change(call.region, alarm, state)
        return {}

    async def enable_alarm_actions(self, call: Call) -> dict[str, Any]:
        return self._switch_actions(call, enabled=True)

    async def disable_alarm_actions(self, call: Call) -> dict[str, Any]:
        return self._switch_actions(call, enabled=False)

    async def tag_resource(self, call: Call) -> dict[str, Any]:
        tags = self.tags_of(call) | from_pairs(call.params["Tags"])
        if len(tags) > MAX_TAGS:
            raise AwsError(
                "InvalidParameterValue", f"{len(tags)} tags; at most {MAX_TAGS} are allowed.", status=400
            )
        return await super().tag_resource(call)

    def _put(self, call: Call, settings: dict[str, Any], kind: AlarmType) -> Alarm:
        name = settings.pop("AlarmName")
        tags = from_pairs(settings.pop("Tags", []))
        if not 1 <= len(name) <= MAX_NAME or re.search(r"[\x00-\x1f\x7f]", name):
            raise malformed(f"AlarmName is {name!r}; it must have 1 to {MAX_NAME} printable characters.")
        settings.setdefault("ActionsEnabled", True)
        for key in ACTIONS.values():
            check_actions(settings.setdefault(key, []))
        now, region = self.context.clock.time(), self.region(call.region)
        before = region.alarms.get(name)
        if before is not None and before.kind != kind:
            raise malformed(f"An alarm of another type is already named {name}.")
        arn = f"arn:aws:cloudwatch:{call.region}:{call.account_id}:alarm:{name}"
        state = before.state if before else newborn(now)
        alarm = Alarm(name, arn, kind, settings, state, now, before.tags if before else tags)
        region.alarms[name] = alarm
        change = {"type": "Update" if before else "Create", "updatedAlarm" if before else "createdAlarm": settings}
        self._remember(call.region, alarm, f'Alarm "{name}" {"updated" if before else "created"}', change)
        return alarm

    def _remember(self, region: str, alarm: Alarm, summary: str, data: dict[str, Any]) -> None:
        text = compact_json({"version": "1.0"} | data)
        item = HistoryItem(alarm.name, alarm.kind, self.context.clock.time(), "ConfigurationUpdate", summary, text)
        self.region(region).history.append(item)

    def _alarm(self, region: str, name: str) -> Alarm:
        alarm = self.region(region).alarms.get(name)
        if alarm is None:
            raise AwsError("ResourceNotFound", f"Alarm {name} does not exist in region {region}.", status=404)
        return alarm

    def _switch_actions(self, call: Call, *, enabled: bool) -> dict[str, Any]:
        for name in call.params["AlarmNames"]:
            alarm = self.region(call.region).alarms.get(name)
            if alarm is not None and alarm.settings["ActionsEnabled"] != enabled:
                alarm.settings["ActionsEnabled"] = enabled
                alarm.configured_at = self.context.clock.time()
                done = "enabled" if enabled else "disabled"
                self._remember(call.region, alarm, f'Alarm "{name}" actions {done}', {"type": "Update"})
        return {}

    def tags_of(self, call: Call) -> dict[str, str]:
        arn = call.params["ResourceARN"]
        alarm = self.region(call.region).alarms.get(_bare(arn))
        if alarm is None or alarm.arn != arn:
            raise AwsError("ResourceNotFoundException", f"{arn} does not exist.", status=404)
        return alarm.tags

    def _check_unused(self, alarms: dict[str, Alarm], alarm: Alarm) -> None:
        parents = [other.name for other in alarms.values() if alarm.name in _children(other)]
        if parents:
            raise malformed(
                f"Alarm {alarm.name} cannot be deleted: the composite alarms [{', '.join(parents)}] depend on it."
            )

    def _related(self, region: str, alarm: Alarm, params: dict[str, Any]) -> bool:
        """Whether the alarm matches the filters of DescribeAlarms besides name and type."""
        alarms = self.region(region).alarms
        parent, child = params.get("ChildrenOfAlarmName"), params.get("ParentsOfAlarmName")
        meets: list[Callable[[], bool]] = [
            lambda: params.get("StateValue") in (None, alarm.state.value),
            lambda: any(
                action.startswith(params.get("ActionPrefix", ""))
                for key in ACTIONS.values()
                for action in alarm.settings[key] or [""]
            ),
            lambda: parent is None or (parent in alarms and alarm.name in _children(alarms[parent])),
            lambda: child is None or child in _children(alarm),
        ]
        return all(meet() for meet in meets)


def _children(alarm: Alarm) -> set[str]:
    if alarm.kind != "CompositeAlarm":
        return set()
    return {_bare(name) for name in parse_rule(alarm.settings["AlarmRule"]).alarms}


def _bare(name_or_arn: str) -> str:
    return name_or_arn.split(":alarm:", 1)[-1] if name_or_arn.startswith("arn:") else name_or_arn


def _epoch(moment: Any) -> float | None:
    return None if moment is None else float(moment.timestamp() if hasattr(moment, "timestamp") else moment)
