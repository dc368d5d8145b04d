"""A hook's conversation with CodeDeploy: whatever happens inside it, CodeDeploy hears of it at once.

A hook that dies in silence holds the deployment for an hour. So nothing here needs a layer: what a check needs of
one it imports itself, and where that fails, the deployment does.
"""

import traceback
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from serinus.lambda_handlers.hooks import journal
from serinus.lambda_handlers.hooks.deployment import CodeDeploy, is_rollback
from serinus.lambda_handlers.hooks.outcome import Outcome


def answer(
    codedeploy: CodeDeploy, event: dict[str, Any], check: Callable[[str], Outcome | None]
) -> dict[str, Any]:
    """Run ``check`` on the event's deployment id and report to CodeDeploy: Succeeded, or Failed, also when it
    raises. None from ``check`` reports nothing: another will. A deployment that undoes another is not checked."""
    deployment_id = event["DeploymentId"]
    try:
        if is_rollback(codedeploy, deployment_id):
            outcome: Outcome | None = Outcome(True, "the deployment puts the version before back, unchecked")
        else:
            outcome = check(deployment_id)
    except Exception as error:  # noqa: BLE001 - whatever it is, it fails the deployment, with its reason logged
        journal.write("the hook crashed", deployment=deployment_id, error=traceback.format_exc())
        outcome = Outcome(False, f"the hook crashed: {type(error).__name__}: {error}")
    if outcome is None:
        return {"status": "InProgress"}
    return report(codedeploy, deployment_id, event["LifecycleEventHookExecutionId"], outcome)


def report(codedeploy: CodeDeploy, deployment_id: str, execution_id: str, outcome: Outcome) -> dict[str, Any]:
    """Tell CodeDeploy a hook's outcome, and the log its reason. Lambda may run a hook more than once: the first
    answer counts, and another one is no error."""
    status = "Succeeded" if outcome.passed else "Failed"
    journal.write(
        f"hook {status.lower()}", deployment=deployment_id, reason=outcome.reason, warnings=outcome.warnings
    )
    try:
        codedeploy.put_lifecycle_event_hook_execution_status(
            deploymentId=deployment_id, lifecycleEventHookExecutionId=execution_id, status=status
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "LifecycleEventAlreadyCompletedException":
            raise
        journal.write("the hook was answered before", deployment=deployment_id)
    return {"status": status, "reason": outcome.reason}
