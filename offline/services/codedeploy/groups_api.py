"""The operations on deployment groups."""

import uuid
from typing import Any

from serinus.offline.core.service import Call
from serinus.offline.core.tags import from_pairs
from serinus.offline.services.codedeploy.base import check_name, fault, paged, refuse_members
from serinus.offline.services.codedeploy.configs_api import ConfigsApi
from serinus.offline.services.codedeploy.notifications import TRIGGER_EVENTS
from serinus.offline.services.codedeploy.records import Group
from serinus.offline.services.codedeploy.shapes import STYLE, group_info
from serinus.offline.services.codedeploy.traffic import ALL_AT_ONCE

MAX_ALARMS = 10
MAX_TRIGGERS = 10
MAX_BATCH = 100
ROLLBACK_EVENTS = ("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")
MODELLED_TRIGGER_EVENTS = (*TRIGGER_EVENTS.values(), "DeploymentRollback", "DeploymentReady")
OTHER_PLATFORMS = (
    "ec2TagFilters",
    "onPremisesInstanceTagFilters",
    "autoScalingGroups",
    "ec2TagSet",
    "onPremisesTagSet",
    "ecsServices",
    "loadBalancerInfo",
    "blueGreenDeploymentConfiguration",
    "ec2DeploymentOptions",
    "terminationHookEnabled",
)
SETTINGS = (
    "deploymentConfigName",
    "serviceRoleArn",
    "deploymentStyle",
    "alarmConfiguration",
    "autoRollbackConfiguration",
    "triggerConfigurations",
    "outdatedInstancesStrategy",
)


class GroupsApi(ConfigsApi):
    """Deployment groups of the Lambda compute platform."""

    async def create_deployment_group(self, call: Call) -> dict[str, Any]:
        params, region = call.params, self.region(call.region)
        application = self.application(call.region, params["applicationName"])
        name = params["deploymentGroupName"]
        check_name(name, "deployment group", "InvalidDeploymentGroupNameException")
        if (application.name, name) in region.groups:
            raise fault("DeploymentGroupAlreadyExistsException", f"Deployment Group already exists: {name}")
        defaults = {"deploymentConfigName": ALL_AT_ONCE, "deploymentStyle": STYLE, "triggerConfigurations": []}
        settings = defaults | self._settings(call)
        group = Group(str(uuid.uuid4()), application.name, name, settings, from_pairs(params.get("tags")))
        region.groups[application.name, name] = group
        return {"deploymentGroupId": group.id}

    async def update_deployment_group(self, call: Call) -> dict[str, Any]:
        params, region = call.params, self.region(call.region)
        group = self.group(call.region, params["applicationName"], params["currentDeploymentGroupName"])
        settings = group.settings | self._settings(call)
        new_name = params.get("newDeploymentGroupName", group.name)
        if new_name != group.name:
            self._rename(call.region, group, new_name)
        group.settings = settings
        region.groups[group.application, group.name] = group
        return {"hooksNotCleanedUp": []}

    async def get_deployment_group(self, call: Call) -> dict[str, Any]:
        group = self.group(call.region, call.params["applicationName"], call.params["deploymentGroupName"])
        return {"deploymentGroupInfo": group_info(self.region(call.region), group)}

    async def batch_get_deployment_groups(self, call: Call) -> dict[str, Any]:
        names = call.params["deploymentGroupNames"]
        if len(names) > MAX_BATCH:
            raise fault("BatchLimitExceededException", f"{len(names)} names; at most {MAX_BATCH} are allowed.")
        groups = [self.group(call.region, call.params["applicationName"], name) for name in names]
        return {"deploymentGroupsInfo": [group_info(self.region(call.region), group) for group in groups]}

    async def list_deployment_groups(self, call: Call) -> dict[str, Any]:
        application = self.application(call.region, call.params["applicationName"])
        names = sorted(name for owner, name in self.region(call.region).groups if owner == application.name)
        shown, rest = paged(names, call)
        return {"applicationName": application.name, "deploymentGroups": shown} | rest

    async def delete_deployment_group(self, call: Call) -> dict[str, Any]:
        application = self.application(call.region, call.params["applicationName"])
        name = call.params["deploymentGroupName"]
        check_name(name, "deployment group", "InvalidDeploymentGroupNameException")
        self.region(call.region).groups.pop((application.name, name), None)
        return {"hooksNotCleanedUp": []}

    def _rename(self, region: str, group: Group, name: str) -> None:
        check_name(name, "deployment group", "InvalidDeploymentGroupNameException")
        kept = self.region(region)
        if (group.application, name) in kept.groups:
            raise fault("DeploymentGroupAlreadyExistsException", f"Deployment Group already exists: {name}")
        for deployment in kept.of_group(group.application, group.name):
            deployment.group = name
        del kept.groups[group.application, group.name]
        group.name = name

    def _settings(self, call: Call) -> dict[str, Any]:
        """The checked settings in a call."""
        refuse_members(call, OTHER_PLATFORMS)
        settings = {name: call.params[name] for name in SETTINGS if name in call.params}
        if "deploymentConfigName" in settings:
            self.config(call.region, settings["deploymentConfigName"])
        role = settings.get("serviceRoleArn", "arn:aws:iam::")
        if not role.startswith("arn:aws:iam::"):
            raise fault("InvalidRoleException", f"The service role {role!r} is not the ARN of a role.")
        _check_style(settings.get("deploymentStyle", STYLE))
        check_alarms(settings.get("alarmConfiguration", {}))
        check_rollback(settings.get("autoRollbackConfiguration", {}))
        _check_triggers(settings.get("triggerConfigurations", []))
        return settings


def check_alarms(configuration: dict[str, Any]) -> None:
    """Raise for an alarmConfiguration that AWS does not allow."""
    alarms = configuration.get("alarms", [])
    if len(alarms) > MAX_ALARMS:
        raise fault("AlarmsLimitExceededException", f"{len(alarms)} alarms; at most {MAX_ALARMS} are allowed.")
    names = [alarm.get("name") for alarm in alarms]
    if configuration.get("enabled") and not names:
        raise fault("InvalidAlarmConfigException", "An enabled alarm configuration must name at least one alarm.")
    if None in names or len(set(names)) < len(names):
        raise fault("InvalidAlarmConfigException", f"The alarms must have distinct names: {names}.")


def check_rollback(configuration: dict[str, Any]) -> None:
    """Raise for an autoRollbackConfiguration that AWS does not allow."""
    events = configuration.get("events", [])
    unknown = [event for event in events if event not in ROLLBACK_EVENTS]
    if unknown or (configuration.get("enabled") and not events):
        raise fault(
            "InvalidAutoRollbackConfigException",
            f"The rollback events are {events}; if enabled, they must be among {', '.join(ROLLBACK_EVENTS)}.",
        )


def _check_style(style: dict[str, Any]) -> None:
    if style != STYLE:
        raise fault(
            "InvalidDeploymentStyleException",
            f"The deployment style is {style}; the Lambda compute platform requires {STYLE}.",
        )


def _check_triggers(triggers: list[dict[str, Any]]) -> None:
    if len(triggers) > MAX_TRIGGERS:
        raise fault(
            "TriggerTargetsLimitExceededException",
            f"{len(triggers)} triggers; at most {MAX_TRIGGERS} are allowed.",
        )
    for trigger in triggers:
        unknown = [event for event in trigger.get("triggerEvents", []) if event not in MODELLED_TRIGGER_EVENTS]
        if unknown or not trigger.get("triggerTargetArn", "").startswith("arn:aws:sns:"):
            raise fault(
                "InvalidTriggerConfigException",
                f"The trigger {trigger.get('triggerName')!r} must have an SNS topic and events of "
                f"{', '.join(MODELLED_TRIGGER_EVENTS)}; it has {unknown or trigger.get('triggerTargetArn')!r}.",
            )
