"""An alarm: its settings as put, its state and its history."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from serinus.offline.services.cloudwatch.evaluation import INSUFFICIENT_DATA

AlarmType = Literal["MetricAlarm", "CompositeAlarm"]

#: The setting with the actions of a change to a state.
ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}


@dataclass(frozen=True, slots=True)
class AlarmState:
    """A state and its reason. ``reason_data`` is JSON text; times in cloud epoch seconds."""

    value: str
    reason: str
    since: float
    reason_data: str | None = None


@dataclass(slots=True)
class Alarm:
    """An alarm; ``settings`` are PutMetricAlarm's or PutCompositeAlarm's, with defaults."""

    name: str
    arn: str
    kind: AlarmType
    settings: dict[str, Any]
    state: AlarmState
    configured_at: float
    tags: dict[str, str] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """The alarm as DescribeAlarms returns it."""
        shown = self.settings | {
            "AlarmName": self.name,
            "AlarmArn": self.arn,
            "AlarmConfigurationUpdatedTimestamp": self.configured_at,
            "StateValue": self.state.value,
            "StateReason": self.state.reason,
            "StateUpdatedTimestamp": self.state.since,
            "StateTransitionedTimestamp": self.state.since,
        }
        return shown | ({"StateReasonData": self.state.reason_data} if self.state.reason_data else {})

    def actions(self) -> list[str]:
        """The ARNs of the present state's actions; none while actions are disabled."""
        return list(self.settings[ACTIONS[self.state.value]]) if self.settings["ActionsEnabled"] else []


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """An event in an alarm's history; ``data`` is JSON text, ``at`` cloud epoch seconds."""

    alarm: str
    kind: AlarmType
    at: float
    type: Literal["ConfigurationUpdate", "StateUpdate", "Action"]
    summary: str
    data: str

    def described(self) -> dict[str, Any]:
        return {
            "AlarmName": self.alarm,
            "AlarmType": self.kind,
            "Timestamp": self.at,
            "HistoryItemType": self.type,
            "HistorySummary": self.summary,
            "HistoryData": self.data,
        }


def newborn(now: float) -> AlarmState:
    """The initial state of every alarm."""
    return AlarmState(INSUFFICIENT_DATA, "Unchecked: Initial alarm creation", now)


def timestamp(at: float) -> str:
    """A time as in alarm messages: 2019-10-02T17:04:40.985+0000."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.{int(at * 1000) % 1000:03d}+0000"


def compact_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
