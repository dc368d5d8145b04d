"""CodeDeploy's rules for Lambda: what stops a deployment, and what is rolled back."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

DONE = [("BeforeAllowTraffic", "Succeeded"), ("AllowTraffic", "Succeeded"), ("AfterAllowTraffic", "Succeeded")]


def test_an_active_alarm_stops_the_deployment(bench: Any) -> None:
    """If an alarm of the group is activated, the deployment stops and its status is Stopped.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html
    """
    alarm = bench.alarm("OK")
    release = bench.release(alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]})
    deployment = release.deploy()
    bench.cloud.advance(minutes=2)
    bench.set_alarm(alarm, "ALARM")
    bench.cloud.advance(minutes=1)
    info = bench.info(deployment)
    assert (info["status"], info["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert f"Activated alarms: <{alarm}>" in info["errorInformation"]["message"]
    assert bench.events(deployment)[1:] == [("AllowTraffic", "Failed"), ("AfterAllowTraffic", "Skipped")]
    assert release.alias == ("1", {})


def test_any_alarm_of_the_group_stops_it(bench: Any) -> None:
    """Each of the alarms of a group is watched.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html
    """
    alarms = [bench.alarm("OK") for _ in range(3)]
    names = [{"name": alarm} for alarm in alarms]
    deployment = bench.release(alarmConfiguration={"enabled": True, "alarms": names}).deploy()
    bench.set_alarm(alarms[2], "ALARM")
    bench.cloud.advance(minutes=1)
    assert bench.info(deployment)["status"] == "Stopped"


def test_an_alarm_without_data_stops_nothing(bench: Any) -> None:
    """Only the state ALARM activates an alarm; INSUFFICIENT_DATA does not.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html
    """
    alarm = bench.alarm("INSUFFICIENT_DATA")
    release = bench.release(alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]})
    deployment = release.deploy()
    bench.cloud.advance(minutes=5)
    assert bench.info(deployment)["status"] == "Succeeded"


def test_an_alarm_that_is_active_already_blocks_a_deployment(bench: Any) -> None:
    """A deployment does not get past an alarm that is in ALARM when it starts.

    Source: https://github.com/aws/serverless-application-model/issues/716
    """
    alarm = bench.alarm("ALARM")
    release = bench.release(alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]})
    deployment = release.deploy()
    assert bench.info(deployment)["errorInformation"]["code"] == "ALARM_ACTIVE"
    assert bench.info(deployment)["status"] == "Stopped"
    assert release.alias == ("1", {})


def test_alarms_can_be_ignored_for_a_group_or_a_deployment(bench: Any) -> None:
    """An alarm configuration that is not enabled, or one given with the deployment, overrides.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-configure-advanced-options.html
    """
    alarm = bench.alarm("ALARM")
    watching = {"enabled": True, "alarms": [{"name": alarm}]}
    for group, override in (({**watching, "enabled": False}, None), (watching, {"enabled": False, "alarms": []})):
        release = bench.release("LambdaAllAtOnce", alarmConfiguration=group)
        settings = {"overrideAlarmConfiguration": override} if override else {}
        assert bench.info(release.deploy(settings=settings))["status"] == "Succeeded"


@pytest.mark.parametrize(("ignored", "status"), [(True, "Succeeded"), (False, "Stopped")])
def test_alarms_whose_state_cannot_be_had(bench: Any, ignored: bool, status: str) -> None:
    """With ignorePollAlarmFailure false the deployment stops if alarm states cannot be retrieved.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AlarmConfiguration.html
    """
    alarms = {"enabled": True, "ignorePollAlarmFailure": ignored, "alarms": [{"name": "nowhere"}]}
    release = bench.release("LambdaAllAtOnce", alarmConfiguration=alarms)
    assert bench.info(release.deploy())["status"] == status


def test_a_group_has_at_most_ten_alarms(bench: Any) -> None:
    """A maximum of 10 alarms can be added to a group.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AlarmConfiguration.html
    """
    names = [{"name": f"alarm-{place}"} for place in range(11)]
    with pytest.raises(ClientError) as error:
        bench.release(alarmConfiguration={"enabled": True, "alarms": names})
    assert error.value.response["Error"]["Code"] == "AlarmsLimitExceededException"


def test_a_rollback_is_a_deployment_of_its_own(bench: Any) -> None:
    """Rolled-back deployments are new deployments with new ids, which refer to one another.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
    """
    release = bench.release()
    deployment = release.deploy()
    bench.codedeploy.stop_deployment(deploymentId=deployment)
    bench.cloud.advance()
    there = bench.info(deployment)["rollbackInfo"]
    rollback = bench.info(there["rollbackDeploymentId"])
    assert rollback["creator"] == "codeDeployRollback"
    assert rollback["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
    assert bench.events(rollback["deploymentId"]) == DONE
    function = bench.target(rollback["deploymentId"])["lambdaFunctionInfo"]
    assert (function["targetVersion"], function["targetVersionWeight"]) == ("1", 100.0)


@pytest.mark.parametrize("events", [["DEPLOYMENT_FAILURE"], ["DEPLOYMENT_STOP_ON_ALARM"]])
def test_a_stop_rolls_back_only_if_configured(bench: Any, events: list[str]) -> None:
    """Rollback happens for the configured events only.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_AutoRollbackConfiguration.html
    """
    release = bench.release(autoRollbackConfiguration={"enabled": True, "events": events})
    deployment = release.deploy()
    bench.codedeploy.stop_deployment(deploymentId=deployment)
    bench.cloud.advance()
    assert "rollbackInfo" not in bench.info(deployment)
    assert release.alias == ("1", {"2": 0.1})


def test_a_stop_request_decides_over_rollback(bench: Any) -> None:
    """autoRollbackEnabled of StopDeployment says whether to put the former version back.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html
    """
    release = bench.release(autoRollbackConfiguration={"enabled": False})
    deployment = release.deploy()
    answer = bench.codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    bench.cloud.advance()
    assert answer["status"] == "Succeeded"
    assert release.alias == ("1", {})


def test_an_alias_left_with_weights_fails_the_next_deployment(bench: Any) -> None:
    """After a manual stop without rollback the alias has two versions, and deployments fail until it is fixed.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-deployments-lambda.html
    """
    release = bench.release(autoRollbackConfiguration={"enabled": False})
    bench.codedeploy.stop_deployment(deploymentId=release.deploy())
    assert bench.info(release.deploy())["status"] == "Failed"
    bench.functions.update_alias(
        FunctionName="served",
        Name=release.name,
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {}},
    )
    assert bench.info(release.deploy())["status"] == "InProgress"


def test_one_deployment_at_a_time(bench: Any) -> None:
    """A deployment group has at most one concurrent deployment.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html#limits-deployments
    """
    release = bench.release()
    release.deploy()
    with pytest.raises(ClientError) as error:
        release.deploy()
    assert error.value.response["Error"]["Code"] == "DeploymentLimitExceededException"


def test_a_finished_deployment_cannot_be_stopped(bench: Any) -> None:
    """StopDeployment of a completed deployment is DeploymentAlreadyCompletedException.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html
    """
    deployment = bench.release("LambdaAllAtOnce").deploy()
    with pytest.raises(ClientError) as error:
        bench.codedeploy.stop_deployment(deploymentId=deployment)
    assert error.value.response["Error"]["Code"] == "DeploymentAlreadyCompletedException"
