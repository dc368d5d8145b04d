"""An alarm stops a deployment at the deployment's next look at it, or as it fires."""

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[..., None]


def watching(bench: Any) -> str:
    """A deployment under way that the alarm `errors` can stop."""
    bench.alarm("errors", "OK")
    bench.group(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
    return str(bench.deploy())


@pytest.mark.parametrize(("interval_s", "looks_after_s"), [("0", 0), ("60", 59), ("15", 14)])
def test_a_deployment_stops_when_it_looks(bench: Any, play: Play, interval_s: str, looks_after_s: int) -> None:
    play(bench.cloud.cloud, alarm_polling=interval_s)
    deployment = watching(bench)
    bench.cloud.advance(61)
    bench.alarm("errors", "ALARM")
    for _ in range(looks_after_s):
        assert bench.info(deployment)["status"] == "InProgress"
        bench.cloud.advance(1)
    assert bench.info(deployment)["status"] == "Stopped"
    assert bench.info(deployment)["errorInformation"]["code"] == "ALARM_ACTIVE"


@pytest.mark.parametrize(("interval_s", "status"), [("0", "Stopped"), ("60", "InProgress")])
def test_an_alarm_that_is_over_between_two_looks(bench: Any, play: Play, interval_s: str, status: str) -> None:
    play(bench.cloud.cloud, alarm_polling=interval_s)
    deployment = watching(bench)
    bench.alarm("errors", "ALARM")
    bench.alarm("errors", "OK")
    bench.cloud.advance(120)
    assert bench.info(deployment)["status"] == status


def test_a_deployment_that_has_ended_does_not_look(bench: Any, play: Play) -> None:
    play(bench.cloud.cloud, alarm_polling="60")
    deployment = watching(bench)
    bench.cloud.advance(300)
    assert bench.info(deployment)["status"] == "Succeeded"
    bench.alarm("errors", "ALARM")
    bench.cloud.advance(120)
    assert bench.info(deployment)["status"] == "Succeeded"
    assert bench.lambda_.current.version == "2"
