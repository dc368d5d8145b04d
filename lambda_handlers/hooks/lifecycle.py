"""A hook's conversation with CodeDeploy: whatever happens inside it, CodeDeploy hears of it at once.

A hook that dies in silence holds the deployment for an hour.
"""

import traceback
from collections.abc import Callable
from typing import Any

from lambda_handlers.hooks import journal
from lambda_handlers.hooks.deployment import CodeDeploy
from lambda_handlers.hooks.preflight import Outcome


def answer(
    codedeploy: CodeDeploy, event: dict[str, Any], check: Callable[[str], Outcome | None]
) -> dict[str, Any]:
    """Run ``check`` on the event's deployment id and report to CodeDeploy: Succeeded, or Failed, also when it
    raises. None from ``check`` reports nothing: another will."""
    deployment_id = event["DeploymentId"]
    try:
        outcome = check(deployment_id)
    except Exception as error:  # noqa: BLE001 - whatever it is, it fails the deployment, with its reason logged
        journal.write("the hook crashed", deployment=deployment_id, error=traceback.format_exc())
        outcome = Outcome(False, f"the hook crashed: {type(error).__name__}: {error}")
    if outcome is None:
        return {"status": "InProgress"}
    return report(codedeploy, deployment_id, event["LifecycleEventHookExecutionId"], outcome)


def report(codedeploy: CodeDeploy, deployment_id: str, execution_id: str, outcome: Outcome) -> dict[str, Any]:
    """Tell CodeDeploy a hook's outcome, and the log its reason."""
    status = "Succeeded" if outcome.passed else "Failed"
    journal.write(
        f"hook {status.lower()}", deployment=deployment_id, reason=outcome.reason, warnings=outcome.warnings
    )
    codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=deployment_id, lifecycleEventHookExecutionId=execution_id, status=status
    )
    return {"status": status, "reason": outcome.reason}
