"""Checks whether a deployment's alarms stop it.

https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-create-alarms.html
"""

from serinus.offline.core.ports import AlarmSource
from serinus.offline.services.codedeploy.records import LambdaDeployment

ACTIVE = (
    "One or more alarms have been activated according to the Amazon CloudWatch metrics you selected, and the "
    "affected deployments have been stopped. Activated alarms: {}"
)
UNKNOWN = (
    "The state of one or more alarms could not be retrieved from Amazon CloudWatch, and the affected deployments "
    "have been stopped. Alarms without a state: {}"
)


def watched_alarms(deployment: LambdaDeployment) -> list[str]:
    """The names of the alarms that can stop the deployment."""
    if not deployment.alarms.get("enabled"):
        return []
    return [alarm["name"] for alarm in deployment.alarms.get("alarms", [])]


def active_alarms(alarms: AlarmSource, region: str, deployment: LambdaDeployment) -> tuple[str, str] | None:
    """The error (code, message) with which the deployment's alarms stop it now; None if they do not."""
    active, unknown = [], []
    for name in watched_alarms(deployment):
        try:
            state = alarms.alarm_state(region, name)
        except KeyError:
            unknown.append(name)
            continue
        if state == "ALARM":
            active.append(name)
    if active:
        return "ALARM_ACTIVE", ACTIVE.format(_listed(active))
    if unknown and not deployment.alarms.get("ignorePollAlarmFailure"):
        return "CODEDEPLOY_RESOURCE_CANNOT_BE_FOUND", UNKNOWN.format(_listed(unknown))
    return None


def _listed(names: list[str]) -> str:
    return " ".join(f"<{name}>" for name in names)
