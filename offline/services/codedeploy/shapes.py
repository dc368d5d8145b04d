"""Records in the shapes of CodeDeploy's responses."""

from typing import Any

from serinus.offline.core.readings import Readings
from serinus.offline.services.codedeploy.records import (
    TRAFFIC,
    Application,
    CodeDeployRegion,
    DeploymentConfig,
    Group,
    LambdaDeployment,
    LifecycleEvent,
)

STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
TARGET_STATUS = {
    "Created": "Pending",
    "InProgress": "InProgress",
    "Succeeded": "Succeeded",
    "Failed": "Failed",
    "Stopped": "Failed",
}


def known(**members: Any) -> dict[str, Any]:
    """The members with a value."""
    return {name: value for name, value in members.items() if value is not None}


def application_info(application: Application) -> dict[str, Any]:
    return {
        "applicationId": application.id,
        "applicationName": application.name,
        "createTime": application.created_at,
        "linkedToGitHub": False,
        "computePlatform": "Lambda",
    }


def config_info(config: DeploymentConfig) -> dict[str, Any]:
    return {
        "deploymentConfigId": config.id,
        "deploymentConfigName": config.name,
        "createTime": config.created_at,
        "computePlatform": "Lambda",
        "trafficRoutingConfig": config.routing,
    }


def group_info(region: CodeDeployRegion, group: Group) -> dict[str, Any]:
    done = region.of_group(group.application, group.name)
    succeeded = [deployment for deployment in done if deployment.status == "Succeeded"]
    return group.settings | known(
        applicationName=group.application,
        deploymentGroupId=group.id,
        deploymentGroupName=group.name,
        computePlatform="Lambda",
        targetRevision=succeeded[-1].revision if succeeded else None,
        lastSuccessfulDeployment=_last(succeeded[-1]) if succeeded else None,
        lastAttemptedDeployment=_last(done[-1]) if done else None,
    )


def _last(deployment: LambdaDeployment) -> dict[str, Any]:
    return known(
        deploymentId=deployment.id,
        status=deployment.status,
        createTime=deployment.created_at,
        endTime=deployment.completed_at,
    )


def overview(deployment: LambdaDeployment) -> dict[str, int]:
    """The number of targets in each state; a Lambda deployment has one target."""
    own = TARGET_STATUS[deployment.status]
    states = ("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready")
    return {state: int(state == own) for state in states}


def deployment_info(deployment: LambdaDeployment) -> dict[str, Any]:
    error = deployment.error
    return known(
        applicationName=deployment.application,
        deploymentGroupName=deployment.group,
        deploymentConfigName=deployment.config_name,
        deploymentId=deployment.id,
        previousRevision=deployment.previous_revision,
        revision=deployment.revision,
        status=deployment.status,
        errorInformation={"code": error[0], "message": error[1]} if error else None,
        createTime=deployment.created_at,
        startTime=deployment.started_at,
        completeTime=deployment.completed_at,
        deploymentOverview=overview(deployment) if deployment.started_at is not None else None,
        description=deployment.description,
        creator=deployment.creator,
        ignoreApplicationStopFailures=False,
        updateOutdatedInstancesOnly=False,
        autoRollbackConfiguration=deployment.auto_rollback or None,
        rollbackInfo=deployment.rollback_info or None,
        deploymentStyle=STYLE,
        instanceTerminationWaitTimeStarted=False,
        computePlatform="Lambda",
        overrideAlarmConfiguration=deployment.override_alarms,
    )


def target_info(region: str, account_id: str, deployment: LambdaDeployment, readings: Readings) -> dict[str, Any]:
    target = deployment.target
    shifts = deployment.event(TRAFFIC).status != "Pending"
    is_percentage = readings.target_version_weight == "percentage"
    function_info = {
        "functionName": target.function,
        "functionAlias": target.alias,
        "currentVersion": target.current_version,
        "targetVersion": target.target_version,
        "targetVersionWeight": round(deployment.weight * 100, 6) if is_percentage else deployment.weight,
    }
    return {
        "deploymentTargetType": "LambdaTarget",
        "lambdaTarget": known(
            deploymentId=deployment.id,
            targetId=target.id,
            targetArn=f"arn:aws:lambda:{region}:{account_id}:function:{target.id}",
            status=TARGET_STATUS[deployment.status],
            lastUpdatedAt=deployment.updated_at,
            lifecycleEvents=[_event_info(event) for event in deployment.events],
            lambdaFunctionInfo=function_info if shifts or readings.function_info_in_hooks == "present" else None,
        ),
    }


def _event_info(event: LifecycleEvent) -> dict[str, Any]:
    failed = {"errorCode": "UnknownError", "message": event.message} if event.status == "Failed" else None
    return known(
        lifecycleEventName=event.name,
        startTime=event.started_at,
        endTime=event.ended_at,
        status=event.status,
        diagnostics=failed,
    )
