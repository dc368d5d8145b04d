"""The operations on deployments, their targets and their hooks."""

import re
from datetime import datetime
from typing import Any

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call
from serinus.offline.services.codedeploy.appspec import AppSpec, read_revision
from serinus.offline.services.codedeploy.base import fault, paged, refuse_members
from serinus.offline.services.codedeploy.groups_api import GroupsApi, check_alarms, check_rollback
from serinus.offline.services.codedeploy.records import LIFECYCLE, Group, LambdaDeployment, LifecycleEvent
from serinus.offline.services.codedeploy.rollback import deployment_id
from serinus.offline.services.codedeploy.shapes import deployment_info, target_info
from serinus.offline.services.codedeploy.traffic import shifts_of

ID = re.compile(r"d-[A-Z0-9]{9}")
MAX_DESCRIPTION = 256
MAX_BATCH = 25
STATUSES = ("Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready")
OTHER_PLATFORMS = ("targetInstances", "updateOutdatedInstancesOnly", "fileExistsBehavior", "ec2DeploymentOptions")


class DeploymentsApi(GroupsApi):
    """Deployments of Lambda functions."""

    async def create_deployment(self, call: Call) -> dict[str, Any]:
        params = call.params
        group = self.group(call.region, params["applicationName"], params.get("deploymentGroupName"))
        refuse_members(call, OTHER_PLATFORMS)
        if params.get("deploymentMode"):
            raise NotModelled("deploymentMode of CreateDeployment")
        if "revision" not in params:
            raise fault("RevisionRequiredException", "The revision is required.")
        if len(params.get("description", "")) > MAX_DESCRIPTION:
            raise fault(
                "DescriptionTooLongException", f"The description has more than {MAX_DESCRIPTION} characters."
            )
        check_alarms(params.get("overrideAlarmConfiguration", {}))
        check_rollback(params.get("autoRollbackConfiguration", {}))
        spec = read_revision(params["revision"])
        deployment = self.deploy(call.region, group, params["revision"], spec, params)
        return {"deploymentId": deployment.id}

    def deploy(
        self, region: str, group: Group, revision: dict[str, Any], spec: AppSpec, overrides: dict[str, Any]
    ) -> LambdaDeployment:
        """Create and start a deployment in ``group``, which can have one at a time."""
        kept = self.region(region)
        active = kept.active_in(group.application, group.name)
        if active is not None:
            raise fault(
                "DeploymentLimitExceededException",
                f"The Deployment Group '{group.name}' already has an active Deployment '{active.id}'",
            )
        settings = group.settings
        config_name = overrides.get("deploymentConfigName", settings["deploymentConfigName"])
        config = self.config(region, config_name)
        # A deleted group's deployments are kept, and a new group may have its name.
        own = [entry for entry in kept.of_group(group.application, group.name) if entry.group_id == group.id]
        good = [entry for entry in own if entry.status == "Succeeded"]
        override_alarms = overrides.get("overrideAlarmConfiguration")
        deployment = LambdaDeployment(
            id=deployment_id(),
            application=group.application,
            group=group.name,
            group_id=group.id,
            config_name=config.name,
            revision=revision,
            target=spec.target,
            events=[LifecycleEvent(name, spec.hooks.get(name)) for name in LIFECYCLE],
            shifts=shifts_of(config.routing),
            created_at=self.context.clock.time(),
            description=overrides.get("description"),
            alarms=override_alarms or settings.get("alarmConfiguration", {}),
            auto_rollback=overrides.get("autoRollbackConfiguration")
            or settings.get("autoRollbackConfiguration", {}),
            override_alarms=override_alarms,
            previous_revision=good[-1].revision if good else None,
        )
        self.machine.launch(region, deployment)
        return deployment

    async def get_deployment(self, call: Call) -> dict[str, Any]:
        return {"deploymentInfo": deployment_info(self.deployment(call.region, call.params.get("deploymentId")))}

    async def batch_get_deployments(self, call: Call) -> dict[str, Any]:
        ids = call.params["deploymentIds"]
        if len(ids) > MAX_BATCH:
            raise fault("BatchLimitExceededException", f"{len(ids)} ids; at most {MAX_BATCH} are allowed.")
        return {"deploymentsInfo": [deployment_info(self.deployment(call.region, entry)) for entry in ids]}

    async def list_deployments(self, call: Call) -> dict[str, Any]:
        params = call.params
        application, group = params.get("applicationName"), params.get("deploymentGroupName")
        if group is not None and application is None:
            raise fault("ApplicationNameRequiredException", "An application name is required.")
        if application is not None:
            self.application(call.region, application)
        if group is not None:
            self.group(call.region, application, group)
        statuses = params.get("includeOnlyStatuses") or STATUSES
        for status in statuses:
            if status not in STATUSES:
                raise fault("InvalidDeploymentStatusException", f"{status!r} is not a deployment status.")
        since, until = (_epoch(params.get("createTimeRange", {}).get(end)) for end in ("start", "end"))
        deployments = [
            deployment.id
            for deployment in reversed(self.region(call.region).deployments.values())
            if application in (None, deployment.application)
            and group in (None, deployment.group)
            and deployment.status in statuses
            and (since is None or deployment.created_at >= since)
            and (until is None or deployment.created_at <= until)
        ]
        shown, rest = paged(deployments, call)
        return {"deployments": shown} | rest

    async def stop_deployment(self, call: Call) -> dict[str, Any]:
        deployment = self.deployment(call.region, call.params.get("deploymentId"))
        if not deployment.active:
            raise fault(
                "DeploymentAlreadyCompletedException",
                f"The deployment {deployment.id} is in a terminal status: {deployment.status}.",
            )
        await self.machine.stop(call.region, deployment, call.params.get("autoRollbackEnabled"))
        return {
            "status": "Succeeded",
            "statusMessage": "No more commands will be scheduled for execution in the deployment",
        }

    async def list_deployment_targets(self, call: Call) -> dict[str, Any]:
        deployment = self.deployment(call.region, call.params.get("deploymentId"))
        requested_statuses = call.params.get("targetFilters", {}).get("TargetStatus")
        info = target_info(call.region, call.account_id, deployment, self.context.config.readings)["lambdaTarget"]
        return {
            "targetIds": [info["targetId"]]
            if requested_statuses is None or info["status"] in requested_statuses
            else []
        }

    async def get_deployment_target(self, call: Call) -> dict[str, Any]:
        target = self._target(call, call.params.get("targetId"))
        return {"deploymentTarget": target}

    async def batch_get_deployment_targets(self, call: Call) -> dict[str, Any]:
        return {"deploymentTargets": [self._target(call, entry) for entry in call.params.get("targetIds", [])]}

    async def put_lifecycle_event_hook_execution_status(self, call: Call) -> dict[str, Any]:
        params = call.params
        deployment = self.deployment(call.region, params.get("deploymentId"))
        execution_id, status = params.get("lifecycleEventHookExecutionId"), params.get("status")
        if status not in ("Succeeded", "Failed"):
            raise fault(
                "InvalidLifecycleEventHookExecutionStatusException",
                f"The status is {status!r}; it must be Succeeded or Failed.",
            )
        event = next(
            (entry for entry in deployment.events if execution_id and entry.execution_id == execution_id), None
        )
        if event is None:
            raise fault(
                "InvalidLifecycleEventHookExecutionIdException",
                f"The deployment {deployment.id} has no hook with the execution id {execution_id!r}.",
            )
        if event.status != "InProgress" or not deployment.active:
            raise fault(
                "LifecycleEventAlreadyCompletedException",
                f"The lifecycle event {event.name} of {deployment.id} is over: {event.status}.",
            )
        await self.machine.answer_hook(call.region, deployment, event, status)
        return {"lifecycleEventHookExecutionId": execution_id}

    def deployment(self, region: str, identifier: str | None) -> LambdaDeployment:
        """The deployment; raises AWS's error for a missing, malformed or unknown id."""
        if not identifier:
            raise fault("DeploymentIdRequiredException", "A deployment id is required.")
        if not ID.fullmatch(identifier):
            raise fault(
                "InvalidDeploymentIdException", f"Specified DeploymentId is not in the valid format: {identifier}"
            )
        deployments = self.region(region).deployments.get(identifier)
        if deployments is None:
            raise fault("DeploymentDoesNotExistException", f"The deployment {identifier} could not be found")
        return deployments

    def _target(self, call: Call, target_id: str | None) -> dict[str, Any]:
        deployment = self.deployment(call.region, call.params.get("deploymentId"))
        if not target_id:
            raise fault("DeploymentTargetIdRequiredException", "A target id is required.")
        if target_id != deployment.target.id:
            raise fault(
                "DeploymentTargetDoesNotExistException",
                f"The deployment {deployment.id} has no target {target_id}; its target is {deployment.target.id}.",
            )
        return target_info(call.region, call.account_id, deployment, self.context.config.readings)


def _epoch(moment: Any) -> float | None:
    return moment.timestamp() if isinstance(moment, datetime) else moment
