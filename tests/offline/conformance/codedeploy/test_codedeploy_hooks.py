"""CodeDeploy's rules for Lambda: lifecycle events and the hooks that answer them."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

DONE = [("BeforeAllowTraffic", "Succeeded"), ("AllowTraffic", "Succeeded"), ("AfterAllowTraffic", "Succeeded")]


def test_lifecycle_events_run_in_order(bench: Any, eventually: Callable[..., Any]) -> None:
    """A Lambda deployment goes through BeforeAllowTraffic, AllowTraffic and AfterAllowTraffic.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
    """
    release = bench.release()
    deployment = release.deploy(BeforeAllowTraffic="Succeeded", AfterAllowTraffic="Succeeded")
    eventually(lambda: bench.events(deployment)[0] == ("BeforeAllowTraffic", "Succeeded"))
    bench.cloud.advance()
    assert bench.events(deployment)[1:] == [("AllowTraffic", "InProgress"), ("AfterAllowTraffic", "Pending")]
    bench.cloud.advance(minutes=5)
    eventually(lambda: bench.events(deployment) == DONE)
    times = [(event["startTime"], event["endTime"]) for event in bench.target(deployment)["lifecycleEvents"]]
    assert times == sorted(times)


def test_hooks_run_before_and_after_all_traffic(bench: Any) -> None:
    """BeforeAllowTraffic runs before any traffic shifts, AfterAllowTraffic after all of it has.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
    """
    release = bench.release("LambdaAllAtOnce", autoRollbackConfiguration={"enabled": False})
    deployment = release.deploy(BeforeAllowTraffic="Silent")
    assert release.alias == ("1", {})
    bench.codedeploy.stop_deployment(deploymentId=deployment)
    deployment = release.deploy(AfterAllowTraffic="Silent")
    assert release.alias == ("2", {})
    assert bench.events(deployment)[2] == ("AfterAllowTraffic", "InProgress")


@pytest.mark.parametrize("event", ["BeforeAllowTraffic", "AfterAllowTraffic"])
def test_a_failed_hook_fails_and_rolls_back(
    bench: Any, play: Callable[..., None], eventually: Callable[..., Any], event: str
) -> None:
    """The result of a hook can trigger a rollback; the deployment fails with HOOK_EXECUTION_FAILURE.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
    """
    play(bench.cloud.cloud, hooks_in_rollback="no")
    release = bench.release("LambdaAllAtOnce")
    deployment = release.deploy(**{event: "Failed"})
    eventually(lambda: bench.info(deployment)["status"] == "Failed")
    bench.cloud.advance()
    info = bench.info(deployment)
    assert info["errorInformation"] == {
        "code": "HOOK_EXECUTION_FAILURE",
        "message": "The deployment failed because one or more of the lifecycle event validation functions failed.",
    }
    assert bench.info(info["rollbackInfo"]["rollbackDeploymentId"])["status"] == "Succeeded"
    assert release.alias == ("1", {})


def test_a_silent_hook_fails_after_an_hour(bench: Any) -> None:
    """A deployment fails if CodeDeploy is not notified by the validation function within one hour.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html#appspec-hooks-lambda
    """
    release = bench.release()
    deployment = release.deploy(BeforeAllowTraffic="Silent")
    bench.cloud.advance(minutes=59)
    assert bench.info(deployment)["status"] == "InProgress"
    bench.cloud.advance(minutes=1)
    assert bench.info(deployment)["status"] == "Failed"


@pytest.mark.parametrize("status", ["InProgress", "Skipped", "Unknown"])
def test_a_hook_answers_succeeded_or_failed_only(bench: Any, status: str) -> None:
    """Only Succeeded and Failed can be passed to PutLifecycleEventHookExecutionStatus.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
    """
    release = bench.release("LambdaAllAtOnce")
    with pytest.raises(ClientError) as error:
        bench.codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=release.deploy(), lifecycleEventHookExecutionId="x", status=status
        )
    assert error.value.response["Error"]["Code"] == "InvalidLifecycleEventHookExecutionStatusException"


def test_an_unknown_execution_id_is_refused(bench: Any) -> None:
    """The execution id must be one that CodeDeploy gave to a hook.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
    """
    release = bench.release("LambdaAllAtOnce")
    with pytest.raises(ClientError) as error:
        bench.codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=release.deploy(), lifecycleEventHookExecutionId="x", status="Succeeded"
        )
    assert error.value.response["Error"]["Code"] == "InvalidLifecycleEventHookExecutionIdException"
