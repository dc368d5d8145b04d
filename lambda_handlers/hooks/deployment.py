"""CodeDeploy's deployments of the endpoint's alias: which versions, since when, how far.

CodeDeploy holds the state of a rollout, so that the hooks need none of their own.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

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
    """A deployment from version ``stable`` to version ``canary``. ``weight`` is the canary's share of traffic.
    Traffic began to shift at ``traffic_at`` and had all shifted at ``switched_at`` (epoch seconds)."""

    id: str
    stable: str
    canary: str
    weight: float
    traffic_at: float | None
    switched_at: float | None
    confirming: bool


def read_deployment(codedeploy: CodeDeploy, deployment_id: str, settings: Settings) -> Deployment:
    """The deployment; raises `BadDeployment` if it is of another function or alias."""
    ids = codedeploy.list_deployment_targets(deploymentId=deployment_id)["targetIds"]
    response = codedeploy.batch_get_deployment_targets(deploymentId=deployment_id, targetIds=ids)
    targets = response["deploymentTargets"]
    for target in (target["lambdaTarget"] for target in targets if "lambdaTarget" in target):
        info = target["lambdaFunctionInfo"]
        if (info["functionName"], info["functionAlias"]) == (settings.function, settings.alias):
            return _deployment(
                deployment_id, info, {e["lifecycleEventName"]: e for e in target["lifecycleEvents"]}
            )
    raise BadDeployment(
        f"deployment {deployment_id} does not shift alias {settings.alias} of {settings.function}. "
        "The hook is attached to another endpoint's deployment group: deploy the endpoint again."
    )


def is_rollback(codedeploy: CodeDeploy, deployment_id: str) -> bool:
    """Whether the deployment restores the version before another one's. AWS does not document whether it runs
    hooks in such a deployment; they must not compare it with the bundle of the release that it undoes.
    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html"""
    return _undoes_another(codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"])


def _undoes_another(info: dict[str, Any]) -> bool:
    undoes = "rollbackTriggeringDeploymentId" in info.get("rollbackInfo", {})
    return undoes or info.get("creator") in _ROLLBACK_CREATORS


def find_rollout(codedeploy: CodeDeploy, settings: Settings) -> Deployment | None:
    """The deployment whose traffic is shifting, or has shifted and awaits confirmation; None when there is none.
    Rollbacks are skipped: they need no judge."""
    deployment_ids = codedeploy.list_deployments(
        applicationName=settings.application,
        deploymentGroupName=settings.group,
        includeOnlyStatuses=["InProgress", "Baking"],
    )["deployments"]
    for deployment_id in deployment_ids:
        info = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
        if _undoes_another(info):
            continue
        deployment = read_deployment(codedeploy, deployment_id, settings)
        if deployment.traffic_at is not None:
            return deployment
    return None


def _deployment(deployment_id: str, info: dict[str, Any], events: dict[str, dict[str, Any]]) -> Deployment:
    traffic, after = events.get(TRAFFIC, {}), events.get(AFTER, {})
    return Deployment(
        id=deployment_id,
        stable=info["currentVersion"],
        canary=info["targetVersion"],
        weight=float(info.get("targetVersionWeight", 0.0)),
        traffic_at=_epoch(traffic.get("startTime")),
        switched_at=_epoch(traffic.get("endTime")),
        confirming=after.get("status") == "InProgress",
    )


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
