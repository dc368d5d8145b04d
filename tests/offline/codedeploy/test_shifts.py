"""How deployments move traffic, ask hooks and heed alarms, with a stand-in for Lambda."""

import pickle
from typing import Any

import pytest
from botocore.exceptions import ClientError

ALL_DONE = [("BeforeAllowTraffic", "Succeeded"), ("AllowTraffic", "Succeeded"), ("AfterAllowTraffic", "Succeeded")]


def error_code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_canary_holds_ten_percent_and_then_moves_all(bench: Any) -> None:
    bench.group()
    deployment = bench.deploy()
    assert bench.lambda_.history == [(0, "1", {"2": 0.1})]
    assert bench.target(deployment)["lambdaFunctionInfo"]["targetVersionWeight"] == 10
    assert bench.info(deployment)["status"] == "InProgress"
    bench.cloud.advance(minutes=5)
    assert bench.lambda_.history[1:] == [(300, "2", {})]
    assert bench.info(deployment)["status"] == "Succeeded"
    assert bench.events(deployment) == ALL_DONE


def test_a_linear_shift_adds_ten_percent_a_minute(bench: Any) -> None:
    bench.group(config="LambdaLinear10PercentEvery1Minute")
    bench.deploy()
    bench.cloud.advance(minutes=9)
    weights = [additional.get("2", 1.0) for _, _, additional in bench.lambda_.history]
    assert weights == pytest.approx([step / 10 for step in range(1, 11)])
    assert [at for at, _, _ in bench.lambda_.history] == [60 * step for step in range(10)]
    assert bench.lambda_.current.version == "2"


def test_all_at_once_needs_no_time(bench: Any) -> None:
    bench.group(config="LambdaAllAtOnce")
    deployment = bench.deploy()
    assert bench.info(deployment)["status"] == "Succeeded"
    assert bench.lambda_.history == [(0, "2", {})]


def test_hooks_are_asked_before_and_after_the_traffic(bench: Any) -> None:
    bench.group()
    bench.lambda_.verdicts = {"pre": "Succeeded", "post": "Succeeded"}
    deployment = bench.deploy(BeforeAllowTraffic="pre", AfterAllowTraffic="post")
    assert [function for function, _ in bench.lambda_.invoked] == ["pre"]
    bench.cloud.advance(minutes=5)
    assert [function for function, _ in bench.lambda_.invoked] == ["pre", "post"]
    assert set(bench.lambda_.invoked[0][1]) == {"DeploymentId", "LifecycleEventHookExecutionId"}
    assert bench.info(deployment)["status"] == "Succeeded"


def test_no_traffic_moves_while_the_first_hook_is_silent(bench: Any) -> None:
    bench.group()
    deployment = bench.deploy(BeforeAllowTraffic="silent")
    bench.cloud.advance(minutes=59)
    assert bench.lambda_.history == []
    assert bench.events(deployment)[0] == ("BeforeAllowTraffic", "InProgress")
    bench.cloud.advance(minutes=1)
    assert bench.info(deployment)["errorInformation"]["code"] == "TIMEOUT"
    assert bench.info(deployment)["status"] == "Failed"


def test_a_failing_first_hook_leaves_the_alias_alone(bench: Any) -> None:
    bench.group()
    bench.lambda_.verdicts = {"pre": "Failed"}
    deployment = bench.deploy(BeforeAllowTraffic="pre")
    info = bench.info(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert bench.events(deployment) == [
        ("BeforeAllowTraffic", "Failed"),
        ("AllowTraffic", "Skipped"),
        ("AfterAllowTraffic", "Skipped"),
    ]
    assert bench.lambda_.current.version == "1"
    assert not any(additional for _, _, additional in bench.lambda_.history)


def test_a_failing_last_hook_takes_all_traffic_back(bench: Any) -> None:
    bench.group(config="LambdaAllAtOnce")
    bench.lambda_.verdicts = {"post": "Failed"}
    deployment = bench.deploy(AfterAllowTraffic="post")
    bench.cloud.advance()
    assert bench.info(deployment)["status"] == "Failed"
    assert [version for _, version, _ in bench.lambda_.history] == ["2", "1"]


def test_a_hook_that_cannot_be_invoked_fails_at_once(bench: Any) -> None:
    bench.group()
    deployment = bench.deploy(BeforeAllowTraffic="missing")
    event = bench.target(deployment)["lifecycleEvents"][0]
    assert event["status"] == "Failed"
    assert "Function not found: missing" in event["diagnostics"]["message"]


def test_an_alarm_during_the_bake_stops_and_rolls_back(bench: Any) -> None:
    bench.alarm("errors", "OK")
    bench.group(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
    deployment = bench.deploy()
    bench.cloud.advance(minutes=2)
    bench.alarm("errors", "ALARM")
    bench.cloud.advance(minutes=1)
    info = bench.info(deployment)
    assert info["status"] == "Stopped"
    assert info["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert info["errorInformation"]["message"].endswith("Activated alarms: <errors>")
    assert bench.events(deployment) == [
        ("BeforeAllowTraffic", "Succeeded"),
        ("AllowTraffic", "Failed"),
        ("AfterAllowTraffic", "Skipped"),
    ]
    rollback = info["rollbackInfo"]["rollbackDeploymentId"]
    assert bench.info(rollback)["status"] == "Succeeded"
    assert bench.info(rollback)["creator"] == "codeDeployRollback"
    assert bench.info(rollback)["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
    assert bench.events(rollback) == ALL_DONE
    assert (bench.lambda_.current.version, bench.lambda_.current.additional) == ("1", {})


def test_an_alarm_that_is_already_active_stops_a_deployment_before_traffic(bench: Any) -> None:
    bench.alarm("errors", "ALARM")
    bench.group(alarmConfiguration={"enabled": True, "alarms": [{"name": "errors"}]})
    deployment = bench.deploy()
    assert bench.info(deployment)["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert bench.info(deployment)["status"] == "Stopped"
    assert not any(additional for _, _, additional in bench.lambda_.history)


def test_a_disabled_alarm_configuration_is_ignored(bench: Any) -> None:
    bench.alarm("errors", "ALARM")
    bench.group(alarmConfiguration={"enabled": False, "alarms": [{"name": "errors"}]})
    deployment = bench.deploy()
    bench.cloud.advance(minutes=5)
    assert bench.info(deployment)["status"] == "Succeeded"


@pytest.mark.parametrize(("ignored", "status"), [(True, "InProgress"), (False, "Stopped")])
def test_an_alarm_without_a_state_stops_unless_that_is_ignored(bench: Any, ignored: bool, status: str) -> None:
    alarms = {"enabled": True, "ignorePollAlarmFailure": ignored, "alarms": [{"name": "nowhere"}]}
    bench.group(alarmConfiguration=alarms)
    assert bench.info(bench.deploy())["status"] == status


def test_a_stop_request_rolls_back_as_the_group_says(bench: Any) -> None:
    bench.group()
    deployment = bench.deploy()
    assert bench.codedeploy.stop_deployment(deploymentId=deployment)["status"] == "Succeeded"
    bench.cloud.advance()
    assert bench.info(deployment)["status"] == "Stopped"
    assert bench.info(deployment)["errorInformation"]["code"] == "MANUAL_STOP"
    assert bench.lambda_.current.additional == {}


def test_a_stop_without_rollback_leaves_the_weights_and_blocks_the_next_deployment(bench: Any) -> None:
    bench.group()
    deployment = bench.deploy()
    bench.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=False)
    bench.cloud.advance()
    assert bench.lambda_.current.additional == {"2": 0.1}
    assert "rollbackInfo" not in bench.info(deployment)
    blocked = bench.deploy()
    assert bench.info(blocked)["errorInformation"]["code"] == "INVALID_LAMBDA_CONFIGURATION"


def test_without_auto_rollback_nothing_is_put_back(bench: Any) -> None:
    bench.group(config="LambdaAllAtOnce", autoRollbackConfiguration={"enabled": False})
    bench.lambda_.verdicts = {"post": "Failed"}
    deployment = bench.deploy(AfterAllowTraffic="post")
    assert bench.info(deployment)["status"] == "Failed"
    assert bench.lambda_.current.version == "2"


def test_one_deployment_at_a_time_in_a_group(bench: Any) -> None:
    bench.group()
    active = bench.deploy()
    with pytest.raises(ClientError) as error:
        bench.deploy()
    assert error_code(error) == "DeploymentLimitExceededException"
    assert active in str(error.value)


def test_an_answer_after_the_end_is_refused(bench: Any) -> None:
    bench.group()
    deployment = bench.deploy(BeforeAllowTraffic="silent")
    (_, event) = bench.lambda_.invoked[0]
    bench.lambda_.answer(event, "Succeeded")
    with pytest.raises(ClientError) as error:
        bench.lambda_.answer(event, "Failed")
    assert error_code(error) == "LifecycleEventAlreadyCompletedException"
    assert bench.info(deployment)["status"] == "InProgress"


def test_a_shift_goes_on_from_its_data_alone(bench: Any) -> None:
    """What is left of a killed cloud is its pickled regions; a new machine finishes the shift."""
    bench.group()
    deployment = bench.deploy()
    service = bench.cloud.cloud.services.codedeploy
    kept = pickle.dumps(service.regions)
    for timer in list(service.machine._timers.values()):
        timer.cancel()
    service.regions.clear()
    service.regions.update(pickle.loads(kept))
    service.machine.resume()
    bench.cloud.advance(minutes=5)
    assert bench.info(deployment)["status"] == "Succeeded"
    assert bench.lambda_.current.version == "2"


def test_a_resumed_cloud_asks_a_silent_hook_again(bench: Any) -> None:
    bench.group()
    deployment = bench.deploy(BeforeAllowTraffic="pre")
    bench.lambda_.verdicts = {"pre": "Succeeded"}
    bench.cloud.cloud.services.codedeploy.machine.resume()
    bench.cloud.advance()
    assert [function for function, _ in bench.lambda_.invoked] == ["pre", "pre"]
    assert bench.events(deployment)[0] == ("BeforeAllowTraffic", "Succeeded")
