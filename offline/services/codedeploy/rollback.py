"""Creates the rollback of a deployment, which returns the alias to the former version.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
"""

import secrets
import string

from serinus.offline.services.codedeploy.appspec import revision_of
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


def rollback_of(failed: LambdaDeployment, now: float) -> LambdaDeployment:
    """A new deployment back to the former version; its hooks are not run, and alarms do not stop it."""
    target = failed.target
    back = LambdaTarget(target.function, target.alias, target.target_version, target.current_version)
    identifier = deployment_id()
    return LambdaDeployment(
        id=identifier,
        application=failed.application,
        group=failed.group,
        config_name=ALL_AT_ONCE,
        revision=failed.previous_revision or revision_of(back, {}),
        target=back,
        events=[LifecycleEvent(name) for name in LIFECYCLE],
        shifts=shifts_of(predefined()[ALL_AT_ONCE].routing),
        created_at=now,
        creator="codeDeployRollback",
        rollback_info={
            "rollbackTriggeringDeploymentId": failed.id,
            "rollbackMessage": f"Deployment {identifier} is triggered to roll back deployment {failed.id}.",
        },
        previous_revision=failed.revision,
    )


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
