"""CodeDeploy for Lambda: moves an alias from one version to the next, and back.

Only the Lambda compute platform is modelled; EC2, on-premises servers and ECS are rejected by name.
"""

import asyncio
from collections.abc import Callable

from serinus.offline.core.ports import DeploymentResult
from serinus.offline.services.codedeploy.applications_api import ApplicationsApi
from serinus.offline.services.codedeploy.appspec import AppSpec, revision_of
from serinus.offline.services.codedeploy.deployments_api import DeploymentsApi
from serinus.offline.services.codedeploy.records import (
    AFTER,
    BEFORE,
    CodeDeployRegion,
    Group,
    LambdaDeployment,
    LambdaTarget,
)


class CodeDeploy(ApplicationsApi, DeploymentsApi):
    """The service as boto3's "codedeploy"."""

    name = "codedeploy"

    async def start(self) -> None:
        self.alarms.subscribe(self.machine.alarm_changed)
        self.machine.resume()

    def snapshot(self) -> dict[str, CodeDeployRegion]:
        return self.regions

    def restore(self, saved: dict[str, CodeDeployRegion]) -> None:
        self.regions.update(saved)

    def group_of(self, region: str, deployment_id: str) -> tuple[str, str] | None:
        """The application and group of a deployment; None if it does not exist."""
        deployment = self.region(region).deployments.get(deployment_id)
        return (deployment.application, deployment.group) if deployment else None

    async def deploy_alias(
        self,
        region: str,
        application: str,
        group: str,
        *,
        function: str,
        alias: str,
        current_version: str,
        target_version: str,
        before_hook: str | None = None,
        after_hook: str | None = None,
        progress: Callable[[str], None] | None = None,
        since: float | None = None,
    ) -> DeploymentResult:
        """Shift an alias as CloudFormation's CodeDeployLambdaAliasUpdate does; returns when it has ended.

        The end includes a rollback, if any. ``function`` is a name or an unqualified ARN; ``progress`` receives
        the texts of CloudFormation's events. Cancelling this call stops the deployment. A deployment of the same
        shift created at or after ``since`` (cloud time) is joined rather than started again, for a stack operation
        that resumes after its cloud was killed. Raises `AwsError` if the deployment cannot be created.
        """
        target = LambdaTarget(function.split(":")[-1], alias, current_version, target_version)
        named = {BEFORE: before_hook, AFTER: after_hook}
        hooks = {event: hook for event, hook in named.items() if hook}
        owner = self.group(region, application, group)
        deployment = self._begun(region, owner, target, since) or self.deploy(
            region, owner, revision_of(target, hooks), AppSpec(target, hooks), {}
        )
        report = progress or (lambda _message: None)
        report(f"CodeDeploy deployment started: {deployment.id}")
        try:
            await self.machine.finished(region, deployment)
        except asyncio.CancelledError:
            self.machine.stop_soon(region, deployment)
            raise
        rollback = deployment.rollback_info.get("rollbackDeploymentId")
        if rollback is not None:
            report(f"CodeDeploy rollback deployment started: {rollback}")
        message = f"{deployment.id} failed. {deployment.error[1]}" if deployment.error else ""
        return DeploymentResult(deployment.status, deployment.id, message, rollback)

    def _begun(
        self, region: str, group: Group, target: LambdaTarget, since: float | None
    ) -> LambdaDeployment | None:
        """The group's latest deployment of this shift created since ``since``."""
        done = self.region(region).of_group(group.application, group.name) if since is not None else []
        same = [entry for entry in done if entry.target == target and entry.created_at >= (since or 0.0)]
        return same[-1] if same else None
