"""A rollback's deployment runs hooks or none, and is stopped by alarms or not."""

from collections.abc import Callable
from typing import Any

import pytest

Play = Callable[..., None]


def failed(bench: Any, **hooks: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A deployment that its last hook fails, and its rollback."""
    deployment = bench.deploy(AfterAllowTraffic="post", **hooks)
    bench.cloud.advance()
    bench.cloud.advance()
    undone = bench.info(deployment)
    assert undone["status"] == "Failed"
    return undone, bench.info(undone["rollbackInfo"]["rollbackDeploymentId"])


@pytest.mark.parametrize(
    ("reading", "invoked", "status", "live"),
    [("yes", ["pre", "post", "pre"], "Failed", "2"), ("no", ["pre", "post"], "Succeeded", "1")],
)
def test_a_hook_of_a_rollback_can_refuse_the_former_version(
    bench: Any, play: Play, reading: str, invoked: list[str], status: str, live: str
) -> None:
    play(bench.cloud.cloud, hooks_in_rollback=reading)
    bench.group(config="LambdaAllAtOnce")
    bench.lambda_.verdicts = {"pre": "Succeeded", "post": "Failed"}
    real = bench.lambda_.answer

    def answer(event: dict[str, Any], verdict: str) -> None:
        is_rollback = "rollbackTriggeringDeploymentId" in bench.info(event["DeploymentId"]).get("rollbackInfo", {})
        real(event, "Failed" if is_rollback else verdict)

    bench.lambda_.answer = answer
    _, rollback = failed(bench, BeforeAllowTraffic="pre")
    assert [function for function, _ in bench.lambda_.invoked] == invoked
    assert (rollback["status"], rollback["creator"]) == (status, "codeDeployRollback")
    assert bench.lambda_.current.version == live


def test_a_rollback_runs_the_hooks_of_the_last_revision(bench: Any, play: Play) -> None:
    play(bench.cloud.cloud, hooks_in_rollback="yes")
    bench.group(config="LambdaAllAtOnce")
    bench.lambda_.verdicts = {"first": "Succeeded", "post": "Failed"}
    bench.deploy(BeforeAllowTraffic="first")
    bench.lambda_.current.version = "1"
    undone, rollback = failed(bench)
    assert undone["status"] == "Failed"
    assert [function for function, _ in bench.lambda_.invoked] == ["first", "post", "first"]
    assert rollback["status"] == "Succeeded"
    assert bench.lambda_.current.version == "1"


@pytest.mark.parametrize(("reading", "status"), [("no", "Succeeded"), ("yes", "Stopped")])
def test_an_alarm_stops_a_rollback_or_does_not(bench: Any, play: Play, reading: str, status: str) -> None:
    play(bench.cloud.cloud, alarms_in_rollback=reading)
    bench.alarm("errors", "OK")
    bench.group(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
    deployment = bench.deploy()
    bench.alarm("errors", "ALARM")
    bench.cloud.advance(minutes=1)
    undone = bench.info(deployment)
    assert undone["status"] == "Stopped"
    assert bench.info(undone["rollbackInfo"]["rollbackDeploymentId"])["status"] == status
    assert bool(bench.lambda_.current.additional) == (reading == "yes")
