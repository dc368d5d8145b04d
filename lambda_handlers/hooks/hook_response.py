"""A hook's report to CodeDeploy: whatever happens inside the hook, CodeDeploy gets a status at once.

A hook that dies in silence holds the deployment for an hour. So nothing here needs a layer: a check imports from
layers itself, and if that fails, the deployment fails.
"""

import traceback
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from serinus.lambda_handlers.contract import journal
from serinus.lambda_handlers.hooks.deployment import CodeDeploy, is_rollback
from serinus.lambda_handlers.hooks.outcome import Outcome


def run_and_report(
    codedeploy: CodeDeploy, event: dict[str, Any], check: Callable[[str], Outcome | None]
) -> dict[str, Any]:
    """Run ``check`` on the event's deployment id and report to CodeDeploy: Succeeded, or Failed, also when it
    raises. If ``check`` returns None, the judge reports later. A deployment that undoes another is not checked."""
    deployment_id = event["DeploymentId"]
    try:
        if is_rollback(codedeploy, deployment_id):
            outcome: Outcome | None = Outcome(True, "the deployment restores the previous version, unchecked")
        else:
            outcome = check(deployment_id)
    except Exception as error:  # noqa: BLE001 - any error fails the deployment, with its reason logged
        journal.write("the hook crashed", deployment=deployment_id, error=traceback.format_exc())
        outcome = Outcome(False, f"the hook crashed: {type(error).__name__}: {error}")
    if outcome is None:
        return {"status": "InProgress"}
    return report(codedeploy, deployment_id, event["LifecycleEventHookExecutionId"], outcome)


def report(codedeploy: CodeDeploy, deployment_id: str, execution_id: str, outcome: Outcome) -> dict[str, Any]:
    """Report a hook's outcome to CodeDeploy and log its reason. Lambda may run a hook more than once: the first
    report counts, and a later one is not an error."""
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
