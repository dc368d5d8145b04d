"""The seam that CloudFormation uses to move an alias, and waits on."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest

from serinus.offline.core.errors import AwsError
from serinus.offline.core.ports import DeploymentResult


def begin(bench: Any, told: list[str] | None = None, **hooks: str) -> "Future[DeploymentResult]":
    """A shift of fn:live from 1 to 2, under way on the cloud's loop."""
    service = bench.cloud.cloud.services.codedeploy
    shift = service.deploy_alias(
        "us-east-1",
        "app",
        "group",
        function="fn",
        alias="live",
        current_version="1",
        target_version="2",
        progress=None if told is None else told.append,
        **hooks,
    )
    running: Future[DeploymentResult] = asyncio.run_coroutine_threadsafe(shift, bench.cloud.cloud.loop)
    return running


def until(probe: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not probe():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_it_returns_when_all_traffic_has_moved(bench: Any) -> None:
    bench.group()
    told: list[str] = []
    shift = begin(bench, told)
    until(lambda: bench.lambda_.history)
    bench.cloud.advance(minutes=4)
    assert not shift.done()
    bench.cloud.advance(minutes=1)
    result = shift.result(10)
    assert (result.status, result.message, result.rollback_deployment_id) == ("Succeeded", "", None)
    assert told == [f"CodeDeploy deployment started: {result.deployment_id}"]


def test_it_returns_after_the_rollback_when_an_alarm_stops_it(bench: Any) -> None:
    bench.alarm("errors", "OK")
    bench.group(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
    told: list[str] = []
    shift = begin(bench, told)
    until(lambda: bench.lambda_.history)
    bench.alarm("errors", "ALARM")
    bench.cloud.advance(minutes=1)
    result = shift.result(10)
    assert result.status == "Stopped"
    assert result.message.startswith(f"{result.deployment_id} failed. One or more alarms have been activated")
    assert (bench.lambda_.current.version, bench.lambda_.current.additional) == ("1", {})
    assert told[1] == f"CodeDeploy rollback deployment started: {result.rollback_deployment_id}"


def test_hooks_may_be_given_by_name_or_arn(bench: Any) -> None:
    bench.group(config="LambdaAllAtOnce")
    bench.lambda_.verdicts = {
        "pre": "Succeeded",
        "arn:aws:lambda:us-east-1:123456789012:function:post": "Failed",
    }
    after = "arn:aws:lambda:us-east-1:123456789012:function:post"
    result = begin(bench, before_hook="pre", after_hook=after).result(10)
    assert [function for function, _ in bench.lambda_.invoked][:2] == ["pre", after]
    assert result.status == "Failed"
    assert "lifecycle event validation functions failed" in result.message


def test_giving_up_stops_the_deployment_and_puts_the_alias_back(bench: Any) -> None:
    bench.group()
    shift = begin(bench)
    until(lambda: bench.lambda_.history)
    shift.cancel()
    with pytest.raises(CancelledError):
        shift.result(10)
    until(lambda: bench.lambda_.current.additional == {})
    assert bench.lambda_.current.version == "1"


def test_what_cannot_be_created_is_an_error(bench: Any) -> None:
    with pytest.raises(AwsError, match="No Deployment Group found for name: group"):
        begin(bench).result(10)
