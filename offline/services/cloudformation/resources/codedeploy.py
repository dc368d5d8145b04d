"""CodeDeploy in CloudFormation: Application, DeploymentConfig, DeploymentGroup."""

from typing import Any

from serinus.offline.services.cloudformation.adapter import lost, members, tag_list, unless_gone
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words

GONE = ("ApplicationDoesNotExistException", "DeploymentConfigDoesNotExistException",
        "DeploymentGroupDoesNotExistException")  # fmt: skip


class Application(ResourceType):
    type = "AWS::CodeDeploy::Application"
    modelled = words("ApplicationName ComputePlatform Tags")
    taggable = True

    def create(self, request: Request) -> Made:
        name = request.properties.get("ApplicationName") or request.name(100)
        request.client("codedeploy").create_application(
            applicationName=name,
            computePlatform=request.properties.get("ComputePlatform", "Server"),
            tags=tag_list(request.tags),
        )
        return Made(name)

    def update(self, request: Request) -> Made:
        arn = request.arn("codedeploy", f"application:{request.identity}")
        _retag(request, arn)
        return Made(request.identity)

    def delete(self, request: Request) -> None:
        client = request.client("codedeploy")
        unless_gone(lambda: client.delete_application(applicationName=request.identity), *GONE)


class DeploymentConfig(ResourceType):
    type = "AWS::CodeDeploy::DeploymentConfig"
    modelled = words("ComputePlatform DeploymentConfigName TrafficRoutingConfig")

    def create(self, request: Request) -> Made:
        client = request.client("codedeploy")
        name = request.properties.get("DeploymentConfigName") or request.name(100)
        given = {**request.properties, "DeploymentConfigName": name}
        client.create_deployment_config(**members(client, "CreateDeploymentConfig", given))
        return Made(name)

    def update(self, request: Request) -> Made:
        return Made(request.identity)

    def delete(self, request: Request) -> None:
        client = request.client("codedeploy")
        unless_gone(lambda: client.delete_deployment_config(deploymentConfigName=request.identity), *GONE)


class DeploymentGroup(ResourceType):
    type = "AWS::CodeDeploy::DeploymentGroup"
    modelled = words(
        "AlarmConfiguration ApplicationName AutoRollbackConfiguration DeploymentConfigName DeploymentGroupName "
        "DeploymentStyle ServiceRoleArn Tags TriggerConfigurations"
    )
    taggable = True

    def create(self, request: Request) -> Made:
        client = request.client("codedeploy")
        name = request.properties.get("DeploymentGroupName") or request.name(100)
        given = _untagged(request.properties) | {"DeploymentGroupName": name}
        extra = {"tags": tag_list(request.tags)} if request.tags else {}
        client.create_deployment_group(**members(client, "CreateDeploymentGroup", given), **extra)
        return Made(name)

    def update(self, request: Request) -> Made:
        client = request.client("codedeploy")
        cleared = {
            key: {"enabled": False}
            for key in ("alarmConfiguration", "autoRollbackConfiguration")
            if key[0].upper() + key[1:] not in request.properties
        }
        given = {
            key: value for key, value in _untagged(request.properties).items() if key != "DeploymentGroupName"
        }
        client.update_deployment_group(
            currentDeploymentGroupName=request.identity,
            **members(client, "UpdateDeploymentGroup", given),
            **cleared,
        )
        application = request.properties["ApplicationName"]
        _retag(request, request.arn("codedeploy", f"deploymentgroup:{application}/{request.identity}"))
        return Made(request.identity)

    def delete(self, request: Request) -> None:
        client, application = request.client("codedeploy"), request.properties["ApplicationName"]
        unless_gone(
            lambda: client.delete_deployment_group(
                applicationName=application, deploymentGroupName=request.identity
            ),
            *GONE,
        )


def _untagged(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key != "Tags"}


def _retag(request: Request, arn: str) -> None:
    client = request.client("codedeploy")
    gone = lost(request.previous_tags, request.tags)
    if gone:
        client.untag_resource(ResourceArn=arn, TagKeys=gone)
    if request.tags != request.previous_tags and request.tags:
        client.tag_resource(ResourceArn=arn, Tags=tag_list(request.tags))
