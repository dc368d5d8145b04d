"""Runs alarms: evaluation every cloud minute, state changes, and their notifications.

Everything here runs on the cloud's event loop, so alarms need no lock.
"""

import asyncio
import logging
from typing import Any

from serinus.offline.core.clock import ScheduledJob
from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import AlarmSubscriber, CloudContext, EventSink, FunctionInvoker
from serinus.offline.core.readings import Readings
from serinus.offline.services.cloudwatch.actions import perform
from serinus.offline.services.cloudwatch.alarms import Alarm, AlarmState, HistoryItem, compact_json
from serinus.offline.services.cloudwatch.base import MetricRegion
from serinus.offline.services.cloudwatch.evaluation import ALARM, OK, evaluate, evaluation_range
from serinus.offline.services.cloudwatch.metric_alarm import Watch, watch_of
from serinus.offline.services.cloudwatch.notifications import Change, eventbridge_event
from serinus.offline.services.cloudwatch.queries import Resolver, Window
from serinus.offline.services.cloudwatch.reasons import Point, reason, reason_data
from serinus.offline.services.cloudwatch.rule_expression import parse_rule
from serinus.offline.services.cloudwatch.statistics import too_few_samples
from serinus.offline.services.cloudwatch.store import MetricStore
from serinus.offline.services.cloudwatch.time_series import TimeSeries

log = logging.getLogger(__name__)

MINUTE_S = 60
TICK_S = 10
LONGEST_PAUSE_S = 3600
MOMENT = "%A %d %B, %Y %H:%M:%S UTC"


class AlarmEngine:
    """Evaluates the alarms of all regions and runs the actions of their state changes."""

    def __init__(
        self,
        context: CloudContext,
        regions: dict[str, MetricRegion],
        functions: FunctionInvoker,
        events: EventSink,
    ) -> None:
        self._context = context
        self._functions = functions
        self._events = events
        self._regions = regions
        self._subscribers: list[AlarmSubscriber] = []
        self._ticker: ScheduledJob | None = None
        self._ticked_at = 0
        self._path: set[tuple[str, str]] = set()
        self._watches: dict[tuple[str, str], tuple[dict[str, Any], Watch]] = {}

    def start(self) -> None:
        """Start the ticks: every 10 s of cloud time, aligned to the minute."""
        clock = self._context.clock
        self._ticked_at = int(clock.time() // TICK_S) * TICK_S
        self._ticker = clock.every(TICK_S, self._tick, name="alarm evaluation", first=self._ticked_at + TICK_S)

    def stop(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()

    def subscribe(self, subscriber: AlarmSubscriber) -> None:
        self._subscribers.append(subscriber)

    async def _tick(self) -> None:
        """Evaluate the due alarms; after a pause, at each missed instant of the last hour."""
        now = self._context.clock.time()
        latest = int(now // TICK_S) * TICK_S
        for region in list(self._regions.values()):
            await asyncio.to_thread(region.store.settle, now)
        for instant in range(max(self._ticked_at + TICK_S, latest - LONGEST_PAUSE_S), latest + TICK_S, TICK_S):
            for name, region in list(self._regions.items()):
                await self._evaluate_all(name, region, instant, now)
        self._ticked_at = latest

    async def _evaluate_all(self, region_name: str, region: MetricRegion, instant: int, now: float) -> None:
        for alarm in list(region.alarms.values()):
            if alarm.kind != "MetricAlarm" or region.alarms.get(alarm.name) is not alarm:
                continue
            watch = self._watch(region_name, alarm)
            if instant % min(watch.period_s, MINUTE_S):
                continue
            try:
                state = next_state(watch, alarm.state, region.store, instant, now, self._context.config.readings)
            except AwsError as error:
                log.error("alarm %s could not be evaluated: %s", alarm.name, error)
                continue
            if state is not None:
                await self.change(region_name, alarm, state)

    def _watch(self, region: str, alarm: Alarm) -> Watch:
        """The alarm's watch, parsed from its settings once per put."""
        settings, watch = self._watches.get((region, alarm.name), (None, None))
        if watch is None or settings is not alarm.settings:
            watch = watch_of(alarm.settings)
            self._watches[region, alarm.name] = (alarm.settings, watch)
        return watch

    async def change(
        self,
        region_name: str,
        alarm: Alarm,
        state: AlarmState,
        children: tuple[tuple[str, AlarmState], ...] = (),
    ) -> None:
        """Set the alarm's state to ``state``; if its value changes, notify and run its actions."""
        old, alarm.state = alarm.state, state
        if old.value == state.value:
            return
        region = self._regions[region_name]
        change = Change(alarm, old, region_name, self._context.config.account_id, children)
        region.history.append(_state_update(change))
        for subscriber in list(self._subscribers):
            subscriber(region_name, alarm.name, old.value, state.value, state.reason)
        self._events.publish(region_name, eventbridge_event(change))
        await self._settle_composites(region_name, alarm)
        for action in alarm.actions():
            region.history.append(await perform(self._context, self._functions, action, change))

    async def _settle_composites(self, region_name: str, child: Alarm) -> None:
        """Evaluate the composite alarms whose rules name ``child``, after its state changed."""
        for composite in list(self._regions[region_name].alarms.values()):
            if composite.kind == "CompositeAlarm" and composite is not child:
                rule = parse_rule(composite.settings["AlarmRule"])
                if {child.name, child.arn} & set(rule.alarms):
                    moment = self._context.clock.now().strftime(MOMENT)
                    why = f"{child.arn} transitioned to {child.state.value} at {moment}"
                    await self.evaluate_composite(region_name, composite, why, ((child.arn, child.state),))

    async def evaluate_composite(
        self, region_name: str, composite: Alarm, why: str, children: tuple[tuple[str, AlarmState], ...] = ()
    ) -> None:
        """Set a composite alarm's state from its rule; ``why`` becomes the reason if it changes.

        As on AWS, evaluation stops where composite alarms form a cycle.
        """
        step = (region_name, composite.name)
        if step in self._path:
            return
        alarms = self._regions[region_name].alarms
        holds = parse_rule(composite.settings["AlarmRule"]).holds(lambda name: state_of(alarms, name))
        value = ALARM if holds else OK
        if value != composite.state.value:
            data = compact_json({"triggeringAlarms": [_triggering(*child) for child in children]})
            state = AlarmState(value, why.replace("{state}", value), self._context.clock.time(), data)
            self._path.add(step)
            try:
                await self.change(region_name, composite, state, children)
            finally:
                self._path.discard(step)


def next_state(
    watch: Watch,
    current: AlarmState,
    store: MetricStore,
    instant: int,
    now: float,
    readings: Readings | None = None,
) -> AlarmState | None:
    """The state by the metric's data points before ``instant``, or None if it does not change.

    Periods are counted back from ``instant``, which falls on a minute (or a shorter period), so that a
    longer period slides by the minute.
    """
    start = instant - evaluation_range(watch.periods) * watch.period_s
    resolver = Resolver(store, watch.queries, Window(start, instant, now), readings)
    series = resolver.result(watch.watched)[0]
    samples = resolver.sample_counts.get(watch.watched, {})
    points = _points(series, samples, range(start, instant, watch.period_s))
    if watch.ignores_few_samples and _too_few(watch, points):
        return None
    breaching = [None if point.value is None else watch.breaches(point.value) for point in points]
    outcome = evaluate(
        breaching,
        periods=watch.periods,
        to_alarm=watch.to_alarm,
        missing=watch.missing,
        current=current.value,
    )
    if outcome.state == current.value:
        return None
    return AlarmState(outcome.state, reason(watch, points, outcome), now, reason_data(watch, points, now))


def _points(series: TimeSeries, samples: dict[int, float], periods: range) -> list[Point]:
    return [Point(at, series.points.get(at), samples.get(at)) for at in periods]


def _too_few(watch: Watch, points: list[Point]) -> bool:
    if watch.statistic is None:
        return False
    recent = [point.samples for point in points if point.samples is not None][-watch.periods :]
    return bool(recent) and too_few_samples(watch.statistic, sum(recent))


def state_of(alarms: dict[str, Alarm], name_or_arn: str) -> str:
    """The state of the alarm that a rule names; "" if it does not exist."""
    name = name_or_arn.split(":alarm:", 1)[-1] if name_or_arn.startswith("arn:") else name_or_arn
    return alarms[name].state.value if name in alarms else ""


def _triggering(arn: str, state: AlarmState) -> dict[str, object]:
    return {"arn": arn, "state": {"value": state.value, "timestamp": state.since}}


def _state_update(change: Change) -> HistoryItem:
    alarm, old = change.alarm, change.old
    data = {"version": "1.0", "oldState": _history_state(old), "newState": _history_state(alarm.state)}
    summary = f"Alarm updated from {old.value} to {alarm.state.value}"
    return HistoryItem(alarm.name, alarm.kind, alarm.state.since, "StateUpdate", summary, compact_json(data))


def _history_state(state: AlarmState) -> dict[str, str]:
    shown = {"stateValue": state.value, "stateReason": state.reason}
    return shown | ({"stateReasonData": state.reason_data} if state.reason_data else {})
