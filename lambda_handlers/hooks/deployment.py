"""CodeDeploy's deployments of the endpoint's alias: which versions, since when, how far.

CodeDeploy holds the state of a rollout, so that the hooks need none of their own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from serinus.lambda_handlers.contract import journal
from serinus.lambda_handlers.hooks.app_spec import read_app_spec
from serinus.lambda_handlers.hooks.errors import BadDeployment
from serinus.lambda_handlers.hooks.settings import Settings

#: CodeDeploy's ``creator`` of a deployment that restores the version before another one's.
_ROLLBACK_CREATORS = ("codeDeployRollback", "CloudFormationRollback")
BEFORE, TRAFFIC, AFTER = "BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic"


class CodeDeploy(Protocol):
    """boto3's CodeDeploy client, as far as it is used here."""

    def list_deployments(self, **parameters: Any) -> dict[str, Any]: ...
    def get_deployment(self, **parameters: Any) -> dict[str, Any]: ...
    def list_deployment_targets(self, **parameters: Any) -> dict[str, Any]: ...
    def batch_get_deployment_targets(self, **parameters: Any) -> dict[str, Any]: ...
    def put_lifecycle_event_hook_execution_status(self, **parameters: Any) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment from version ``stable`` to version ``canary``. ``weight`` is the canary's share of traffic, 0
    to 1. Traffic began to shift at ``traffic_at`` and had all shifted at ``switched_at`` (epoch seconds).
    ``restores``: it undoes another deployment, and is not judged."""

    id: str
    stable: str
    canary: str
    weight: float
    traffic_at: float | None
    switched_at: float | None
    confirming: bool
    restores: bool = False


def read_deployment(codedeploy: CodeDeploy, deployment_id: str, settings: Settings) -> Deployment:
    """The deployment; raises `BadDeployment` if it is of another function or alias."""
    for info, events in _targets(codedeploy, deployment_id):
        if (info["functionName"], info["functionAlias"]) == (settings.function, settings.alias):
            return _deployment(deployment_id, info, events)
    raise BadDeployment(
        f"deployment {deployment_id} does not shift alias {settings.alias} of {settings.function}. "
        "The hook is attached to another endpoint's deployment group: deploy the endpoint again."
    )


def is_rollback(codedeploy: CodeDeploy, deployment_id: str) -> bool:
    """Whether the deployment restores the version before another one's. AWS does not document whether it runs
    hooks in such a deployment, nor how it names one that CloudFormation starts; hooks must not compare it with the
    bundle of the release that it undoes. Every release publishes a version of its own, so a deployment to an older
    one restores it, whoever created it.
    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html"""
    try:
        if _undoes_another(codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]):
            return True
    except (BotoCoreError, ClientError) as error:
        # A missing permission must fail neither a release nor its rollback: the versions still show which it is.
        journal.write("the deployment's creator could not be read", deployment=deployment_id, error=str(error))
    return any(_goes_back(info) for info, _ in _targets(codedeploy, deployment_id))


def _undoes_another(info: Mapping[str, Any]) -> bool:
    undoes = "rollbackTriggeringDeploymentId" in info.get("rollbackInfo", {})
    return undoes or info.get("creator") in _ROLLBACK_CREATORS


def _goes_back(info: Mapping[str, Any]) -> bool:
    current, target = str(info["currentVersion"]), str(info["targetVersion"])
    return current.isdecimal() and target.isdecimal() and int(target) < int(current)


def find_rollout(codedeploy: CodeDeploy, settings: Settings) -> Deployment | None:
    """The deployment whose traffic is shifting, or has shifted and awaits confirmation; None when there is none.
    One that restores an earlier version comes last."""
    deployment_ids = codedeploy.list_deployments(
        applicationName=settings.application,
        deploymentGroupName=settings.group,
        includeOnlyStatuses=["InProgress", "Baking"],
    )["deployments"]
    restoring = None
    for deployment_id in deployment_ids:
        info = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
        deployment = read_deployment(codedeploy, deployment_id, settings)
        if _undoes_another(info):
            deployment = replace(deployment, restores=True)
        if deployment.traffic_at is None:
            continue
        if not deployment.restores:
            return deployment
        restoring = restoring or deployment
    return restoring


def _targets(
    codedeploy: CodeDeploy, deployment_id: str
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]]]:
    """Function, alias and versions of each target, and its lifecycle events by name. No page says that targets
    hold the versions before traffic has shifted; where they do not, the deployment's AppSpec does."""
    ids = codedeploy.list_deployment_targets(deploymentId=deployment_id)["targetIds"]
    response = codedeploy.batch_get_deployment_targets(deploymentId=deployment_id, targetIds=ids)
    for target in response["deploymentTargets"]:
        if "lambdaTarget" not in target:
            continue
        shifted = target["lambdaTarget"]
        info = shifted.get("lambdaFunctionInfo", {})
        if not {"functionName", "functionAlias", "currentVersion", "targetVersion"} <= info.keys():
            described = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
            info = {**info, **read_app_spec(described.get("revision", {}))}
        yield info, {event["lifecycleEventName"]: event for event in shifted.get("lifecycleEvents", [])}


def _deployment(
    deployment_id: str, info: Mapping[str, Any], events: Mapping[str, Mapping[str, Any]]
) -> Deployment:
    traffic, after = events.get(TRAFFIC, {}), events.get(AFTER, {})
    switched_at = _epoch(traffic.get("endTime"))
    return Deployment(
        id=deployment_id,
        stable=info["currentVersion"],
        canary=info["targetVersion"],
        weight=_share(float(info.get("targetVersionWeight", 0.0)), switched=switched_at is not None),
        traffic_at=_epoch(traffic.get("startTime")),
        switched_at=switched_at,
        confirming=after.get("status") == "InProgress",
        restores=_goes_back(info),
    )


def _share(weight: float, *, switched: bool) -> float:
    """The share of traffic in CodeDeploy's weight, which its API calls a percentage, and Lambda's a fraction.
    Shifts are of whole percents: only 1 is either, and a shift that is under way has not moved all traffic.
    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_LambdaFunctionInfo.html"""
    is_fraction = weight < 1 or (weight == 1 and switched)
    return weight if is_fraction else weight / 100


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
