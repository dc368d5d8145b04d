"""CloudWatch's seams to the rest of the cloud."""

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from serinus.offline.cloud.stepped import SteppedCloud, stepped


@pytest.fixture
def stepped_cloud() -> Iterator[SteppedCloud]:
    with stepped() as cloud:
        yield cloud


def put_alarm(cloud: SteppedCloud, name: str) -> None:
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/Lambda",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": "f"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
    )


def test_what_is_recorded_can_alarm_and_subscribers_hear_of_it(stepped_cloud: SteppedCloud) -> None:
    service: Any = stepped_cloud.cloud.services.cloudwatch
    heard: list[tuple[str, ...]] = []
    service.subscribe(lambda *change: heard.append(change[:4]))
    put_alarm(stepped_cloud, "errors")
    service.record("us-east-1", "AWS/Lambda", "Errors", {"FunctionName": "f"}, 1.0, unit="Count")
    assert service.alarm_state("us-east-1", "errors") == "INSUFFICIENT_DATA"
    stepped_cloud.advance(minutes=1)
    assert service.alarm_state("us-east-1", "errors") == "ALARM"
    assert heard == [("us-east-1", "errors", "INSUFFICIENT_DATA", "ALARM")]


def test_an_alarm_sees_each_minute_even_when_the_loop_was_late(stepped_cloud: SteppedCloud) -> None:
    """A tick that comes minutes late evaluates the minutes that it missed, one after another."""
    service: Any = stepped_cloud.cloud.services.cloudwatch
    put_alarm(stepped_cloud, "errors")
    began = stepped_cloud.time()
    for minute, value in enumerate((0.0, 1.0, 0.0)):
        service.record("us-east-1", "AWS/Lambda", "Errors", {"FunctionName": "f"}, value, at=began + 60 * minute)
    ticker = service.engine._ticker
    ticker.cancel()
    stepped_cloud.advance(minutes=3)
    stepped_cloud.cloud.clock.call_later(0, service.engine._tick, name="late")
    stepped_cloud.advance()
    items = stepped_cloud.client("cloudwatch").describe_alarm_history(
        AlarmName="errors", HistoryItemType="StateUpdate", ScanBy="TimestampAscending"
    )["AlarmHistoryItems"]
    assert [item["HistorySummary"].split()[-1] for item in items] == ["OK", "ALARM", "OK"]


def test_the_state_of_an_unknown_alarm_is_an_error(stepped_cloud: SteppedCloud) -> None:
    service: Any = stepped_cloud.cloud.services.cloudwatch
    with pytest.raises(KeyError, match="no alarm nowhere in us-east-1"):
        service.alarm_state("us-east-1", "nowhere")


def test_a_value_can_come_many_times_and_at_a_time_of_its_own(stepped_cloud: SteppedCloud) -> None:
    service: Any = stepped_cloud.cloud.services.cloudwatch
    at = stepped_cloud.time() - 120
    service.record("us-east-1", "App", "calls", {}, 2.0, at=at, count=3)
    (metric,) = stepped_cloud.client("cloudwatch").list_metrics(Namespace="App")["Metrics"]
    assert metric["MetricName"] == "calls"
    store = service.store("us-east-1")
    (key,) = [key for key in store.keys(since=0, now=at + 120) if key.namespace == "App"]
    (point,) = store.datapoints(key, start=0, end=at + 60, period_s=60, now=at + 120).values()
    assert (point.total, point.sample_count) == (6.0, 3)


def test_all_of_its_state_can_be_pickled(stepped_cloud: SteppedCloud) -> None:
    service: Any = stepped_cloud.cloud.services.cloudwatch
    put_alarm(stepped_cloud, "errors")
    service.record("us-east-1", "AWS/Lambda", "Errors", {"FunctionName": "f"}, 1.0)
    stepped_cloud.advance(minutes=1)
    restored = pickle.loads(pickle.dumps(service.regions))["us-east-1"]
    assert restored.alarms["errors"].state.value == "ALARM"
    assert [item.type for item in restored.history] == ["ConfigurationUpdate", "StateUpdate"]


def test_composite_alarms_in_a_circle_stop_being_evaluated(stepped_cloud: SteppedCloud) -> None:
    """As AWS says of cycles: evaluation stops; it does not go round for ever."""
    client = stepped_cloud.client("cloudwatch")
    put_alarm(stepped_cloud, "errors")
    client.put_composite_alarm(AlarmName="one", AlarmRule="ALARM(errors)")
    client.put_composite_alarm(AlarmName="two", AlarmRule="NOT ALARM(one)")
    client.put_composite_alarm(AlarmName="one", AlarmRule="ALARM(two) OR ALARM(errors)")
    client.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a test")
    shown = client.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert {alarm["AlarmName"] for alarm in shown} == {"one", "two"}
