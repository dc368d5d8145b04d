"""Creates the rollback of a deployment, which returns the alias to the former version.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
"""

import secrets
import string

from serinus.offline.core.readings import Readings
from serinus.offline.services.codedeploy.appspec import read_revision, revision_of
from serinus.offline.services.codedeploy.records import LIFECYCLE, LambdaDeployment, LambdaTarget, LifecycleEvent
from serinus.offline.services.codedeploy.traffic import ALL_AT_ONCE, predefined, shifts_of

#: The rollback event that must be configured for each cause.
ROLLBACK_EVENTS = {
    "alarm": "DEPLOYMENT_STOP_ON_ALARM",
    "request": "DEPLOYMENT_STOP_ON_REQUEST",
    "failure": "DEPLOYMENT_FAILURE",
}


def is_configured(deployment: LambdaDeployment, cause: str) -> bool:
    """Whether the deployment's autoRollbackConfiguration requires a rollback after ``cause``."""
    configured = deployment.auto_rollback
    return bool(configured.get("enabled")) and ROLLBACK_EVENTS[cause] in configured.get("events", [])


def rollback_of(failed: LambdaDeployment, now: float, readings: Readings) -> LambdaDeployment:
    """A new deployment back to the former version; ``readings`` decide over its hooks and alarms."""
    target = failed.target
    back = LambdaTarget(target.function, target.alias, target.target_version, target.current_version)
    identifier = deployment_id()
    hooks = hooks_of(failed) if readings.hooks_in_rollback == "yes" else {}
    return LambdaDeployment(
        id=identifier,
        application=failed.application,
        group=failed.group,
        group_id=failed.group_id,
        config_name=ALL_AT_ONCE,
        revision=failed.previous_revision or revision_of(back, hooks),
        target=back,
        events=[LifecycleEvent(name, hooks.get(name)) for name in LIFECYCLE],
        shifts=shifts_of(predefined()[ALL_AT_ONCE].routing),
        created_at=now,
        creator="codeDeployRollback",
        alarms=failed.alarms if readings.alarms_in_rollback == "yes" else {},
        rollback_info={
            "rollbackTriggeringDeploymentId": failed.id,
            "rollbackMessage": f"Deployment {identifier} is triggered to roll back deployment {failed.id}.",
        },
        previous_revision=failed.revision,
    )


def hooks_of(failed: LambdaDeployment) -> dict[str, str]:
    """The hooks of the last revision that was deployed; those of the failed deployment if none was."""
    if failed.previous_revision is not None:
        return read_revision(failed.previous_revision).hooks
    return {event.name: event.hook for event in failed.events if event.hook is not None}


def rollback_info(failed: LambdaDeployment, rollback: LambdaDeployment) -> dict[str, str]:
    """The undone deployment's record of its rollback."""
    return {
        "rollbackDeploymentId": rollback.id,
        "rollbackMessage": f"Deployment {failed.id} terminated. Automatic rollback is triggered with "
        f"a DeploymentId {rollback.id}.",
    }


def deployment_id() -> str:
    """An id like CodeDeploy's: d- and nine capitals and digits."""
    return "d-" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(9))
