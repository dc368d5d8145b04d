"""A cloud whose time is stepped, for the rules of CloudWatch, and alarms to watch in it."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from serinus.offline.cloud.stepped import SteppedCloud, stepped


@pytest.fixture(scope="module")
def stepped_cloud() -> Iterator[SteppedCloud]:
    with stepped() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def cloudwatch(stepped_cloud: SteppedCloud) -> Any:
    return stepped_cloud.client("cloudwatch")


@pytest.fixture
def metric() -> str:
    """The name of a metric that no other test uses."""
    return f"metric-{uuid.uuid4().hex[:8]}"


class Watched:
    """An alarm on a metric of its own: over 1 in a minute, 1 out of 1, unless settings say otherwise."""

    def __init__(self, cloud: SteppedCloud, **settings: Any) -> None:
        self.cloud = cloud
        self.client = cloud.client("cloudwatch")
        self.name = f"alarm-{uuid.uuid4().hex[:8]}"
        self.settings = {
            "Namespace": "App",
            "MetricName": self.name,
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanThreshold",
        } | settings
        self.put()

    def put(self, **changes: Any) -> None:
        settings = {name: value for name, value in (self.settings | changes).items() if value is not None}
        self.client.put_metric_alarm(AlarmName=self.name, **settings)

    def send(self, value: float, name: str | None = None, **datum: Any) -> None:
        data = [{"MetricName": name or self.name, "Value": value, **datum}]
        self.client.put_metric_data(Namespace="App", MetricData=data)

    def minutes(self, *values: float | None) -> list[str]:
        """Send a value a minute (None: none), and the state after each minute."""
        states = []
        for value in values:
            if value is not None:
                self.send(value)
            self.cloud.advance(minutes=1)
            states.append(self.state)
        return states

    @property
    def shown(self) -> dict[str, Any]:
        (alarm,) = self.client.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return dict(alarm)

    @property
    def state(self) -> str:
        return str(self.shown["StateValue"])

    def history(self, kind: str) -> list[str]:
        """Summaries of history items of one type, oldest first."""
        items = self.client.describe_alarm_history(
            AlarmName=self.name, HistoryItemType=kind, ScanBy="TimestampAscending"
        )["AlarmHistoryItems"]
        return [item["HistorySummary"] for item in items]


@pytest.fixture
def watched(stepped_cloud: SteppedCloud) -> Callable[..., Watched]:
    """Makes alarms, in ``cloud`` where that is another; the other keyword arguments are settings."""

    def make(cloud: SteppedCloud = stepped_cloud, **settings: Any) -> Watched:
        return Watched(cloud, **settings)

    return make
