"""CodeDeploy in CloudFormation: Application, DeploymentConfig, DeploymentGroup."""

from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import members, missing_ok, retag
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

GONE = ("ApplicationDoesNotExistException", "DeploymentConfigDoesNotExistException",
        "DeploymentGroupDoesNotExistException")  # fmt: skip


class CodeDeployApplication(ResourceType):
    type = "AWS::CodeDeploy::Application"
    modelled = words("ApplicationName ComputePlatform Tags")
    taggable = True

    def create(self, request: ResourceRequest) -> ResourceState:
        name = request.properties.get("ApplicationName") or request.name(100)
        request.client("codedeploy").create_application(
            applicationName=name,
            computePlatform=request.properties.get("ComputePlatform", "Server"),
            tags=to_pairs(request.tags),
        )
        return ResourceState(name)

    def update(self, request: ResourceRequest) -> ResourceState:
        arn = request.arn("codedeploy", f"application:{request.identity}")
        retag(request.client("codedeploy"), request, ResourceArn=arn)
        return ResourceState(request.identity)

    def delete(self, request: ResourceRequest) -> None:
        client = request.client("codedeploy")
        with missing_ok(*GONE):
            client.delete_application(applicationName=request.identity)


class CodeDeployDeploymentConfig(ResourceType):
    type = "AWS::CodeDeploy::DeploymentConfig"
    modelled = words("ComputePlatform DeploymentConfigName TrafficRoutingConfig")

    def create(self, request: ResourceRequest) -> ResourceState:
        client = request.client("codedeploy")
        name = request.properties.get("DeploymentConfigName") or request.name(100)
        parameters = {**request.properties, "DeploymentConfigName": name}
        client.create_deployment_config(**members(client, "CreateDeploymentConfig", parameters))
        return ResourceState(name)

    def update(self, request: ResourceRequest) -> ResourceState:
        return ResourceState(request.identity)

    def delete(self, request: ResourceRequest) -> None:
        client = request.client("codedeploy")
        with missing_ok(*GONE):
            client.delete_deployment_config(deploymentConfigName=request.identity)


class DeploymentGroup(ResourceType):
    type = "AWS::CodeDeploy::DeploymentGroup"
    modelled = words(
        "AlarmConfiguration ApplicationName AutoRollbackConfiguration DeploymentConfigName DeploymentGroupName "
        "DeploymentStyle ServiceRoleArn Tags TriggerConfigurations"
    )
    taggable = True

    def create(self, request: ResourceRequest) -> ResourceState:
        client = request.client("codedeploy")
        name = request.properties.get("DeploymentGroupName") or request.name(100)
        parameters = _untagged(request.properties) | {"DeploymentGroupName": name}
        extra = {"tags": to_pairs(request.tags)} if request.tags else {}
        client.create_deployment_group(**members(client, "CreateDeploymentGroup", parameters), **extra)
        return ResourceState(name)

    def update(self, request: ResourceRequest) -> ResourceState:
        client = request.client("codedeploy")
        cleared = {
            key: {"enabled": False}
            for key in ("alarmConfiguration", "autoRollbackConfiguration")
            if key[0].upper() + key[1:] not in request.properties
        }
        parameters = {
            key: value for key, value in _untagged(request.properties).items() if key != "DeploymentGroupName"
        }
        client.update_deployment_group(
            currentDeploymentGroupName=request.identity,
            **members(client, "UpdateDeploymentGroup", parameters),
            **cleared,
        )
        application = request.properties["ApplicationName"]
        arn = request.arn("codedeploy", f"deploymentgroup:{application}/{request.identity}")
        retag(request.client("codedeploy"), request, ResourceArn=arn)
        return ResourceState(request.identity)

    def delete(self, request: ResourceRequest) -> None:
        client, application = request.client("codedeploy"), request.properties["ApplicationName"]
        with missing_ok(*GONE):
            client.delete_deployment_group(applicationName=application, deploymentGroupName=request.identity)


def _untagged(properties: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key != "Tags"}
