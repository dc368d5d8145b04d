"""CodeDeploy's rules for Lambda: applications, groups and their settings."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT, REGION = "123456789012", "us-east-1"
BLUE_GREEN = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}


@pytest.mark.parametrize("platform", ["Server", "ECS", None])
def test_other_compute_platforms_are_refused_by_name(bench: Any, platform: str | None) -> None:
    """EC2, on-premises (the default) and ECS exist on AWS; here they are refused.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateApplication.html
    """
    settings = {"computePlatform": platform} if platform else {}
    with pytest.raises(ClientError, match="does not model the compute platform") as error:
        bench.codedeploy.create_application(applicationName="other", **settings)
    assert error.value.response["Error"]["Code"] == "NotImplemented"


def test_lambda_deployments_are_blue_green_with_traffic_control(bench: Any) -> None:
    """All Lambda deployments are blue/green.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/welcome.html
    """
    with pytest.raises(ClientError) as error:
        bench.release(
            deploymentStyle={"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"}
        )
    assert error.value.response["Error"]["Code"] == "InvalidDeploymentStyleException"


def test_names_are_unique_and_known(bench: Any) -> None:
    """Names of applications and groups are unique; unknown ones are errors of their own.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateApplication.html
    """
    with pytest.raises(ClientError) as error:
        bench.codedeploy.create_application(applicationName="app", computePlatform="Lambda")
    assert error.value.response["Error"]["Code"] == "ApplicationAlreadyExistsException"
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment_group(applicationName="app", deploymentGroupName="nowhere")
    assert error.value.response["Error"]["Code"] == "DeploymentGroupDoesNotExistException"
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment(deploymentId="d-000000000")
    assert error.value.response["Error"]["Code"] == "DeploymentDoesNotExistException"
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment(deploymentId="12")
    assert error.value.response["Error"]["Code"] == "InvalidDeploymentIdException"


def test_a_group_can_be_changed_renamed_and_deleted(bench: Any) -> None:
    """UpdateDeploymentGroup changes what it is given and may rename the group.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_UpdateDeploymentGroup.html
    """
    release = bench.release()
    bench.codedeploy.update_deployment_group(
        applicationName="app",
        currentDeploymentGroupName=release.name,
        newDeploymentGroupName=f"{release.name}-new",
        deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce",
    )
    place = {"applicationName": "app", "deploymentGroupName": f"{release.name}-new"}
    info = bench.codedeploy.get_deployment_group(**place)["deploymentGroupInfo"]
    assert info["deploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
    assert info["serviceRoleArn"] == bench.role
    bench.codedeploy.delete_deployment_group(**place)
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment_group(**place)
    assert error.value.response["Error"]["Code"] == "DeploymentGroupDoesNotExistException"


def test_a_configuration_in_use_cannot_be_deleted(bench: Any) -> None:
    """A configuration that a group uses is kept; predefined ones always.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations-delete.html
    """
    bench.codedeploy.create_deployment_config(
        deploymentConfigName="MyUsed", computePlatform="Lambda", trafficRoutingConfig={"type": "AllAtOnce"}
    )
    bench.release("MyUsed")
    with pytest.raises(ClientError) as error:
        bench.codedeploy.delete_deployment_config(deploymentConfigName="MyUsed")
    assert error.value.response["Error"]["Code"] == "DeploymentConfigInUseException"
    with pytest.raises(ClientError) as error:
        bench.codedeploy.delete_deployment_config(deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce")
    assert error.value.response["Error"]["Code"] == "InvalidOperationException"


def test_applications_have_tags(bench: Any) -> None:
    """Applications and groups are tagged by ARN.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_TagResource.html
    """
    arn = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:application:app"
    bench.codedeploy.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}])
    assert bench.codedeploy.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    bench.codedeploy.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert bench.codedeploy.list_tags_for_resource(ResourceArn=arn)["Tags"] == []


def test_applications_and_groups_are_listed_and_fetched_together(bench: Any) -> None:
    """Lists return names; batches return the results of the Get operations.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_BatchGetDeploymentGroups.html
    """
    release = bench.release("LambdaAllAtOnce")
    assert "app" in bench.codedeploy.list_applications()["applications"]
    groups = bench.codedeploy.list_deployment_groups(applicationName="app")["deploymentGroups"]
    assert release.name in groups
    (application,) = bench.codedeploy.batch_get_applications(applicationNames=["app"])["applicationsInfo"]
    assert application == bench.codedeploy.get_application(applicationName="app")["application"]
    (group,) = bench.codedeploy.batch_get_deployment_groups(
        applicationName="app", deploymentGroupNames=[release.name]
    )["deploymentGroupsInfo"]
    assert group["deploymentGroupName"] == release.name
    deployment = release.deploy()
    (fetched,) = bench.codedeploy.batch_get_deployments(deploymentIds=[deployment])["deploymentsInfo"]
    assert fetched == bench.info(deployment)


def test_configurations_are_listed(bench: Any) -> None:
    """ListDeploymentConfigs names the predefined and the custom ones.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeploymentConfigs.html
    """
    names = bench.codedeploy.list_deployment_configs()["deploymentConfigsList"]
    assert "CodeDeployDefault.LambdaAllAtOnce" in names
    bench.codedeploy.create_deployment_config(
        deploymentConfigName="MyListed", computePlatform="Lambda", trafficRoutingConfig={"type": "AllAtOnce"}
    )
    assert "MyListed" in bench.codedeploy.list_deployment_configs()["deploymentConfigsList"]
    bench.codedeploy.delete_deployment_config(deploymentConfigName="MyListed")
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment_config(deploymentConfigName="MyListed")
    assert error.value.response["Error"]["Code"] == "DeploymentConfigDoesNotExistException"


def test_deleting_an_application_takes_its_groups(bench: Any) -> None:
    """DeleteApplication removes the application and the groups in it.

    Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/applications-delete.html
    """
    bench.codedeploy.create_application(applicationName="short-lived", computePlatform="Lambda")
    place = {"applicationName": "short-lived", "deploymentGroupName": "group"}
    bench.codedeploy.create_deployment_group(**place, serviceRoleArn=bench.role, deploymentStyle=BLUE_GREEN)
    bench.codedeploy.delete_application(applicationName="short-lived")
    with pytest.raises(ClientError) as error:
        bench.codedeploy.get_deployment_group(**place)
    assert error.value.response["Error"]["Code"] == "ApplicationDoesNotExistException"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"autoRollbackConfiguration": {"enabled": True, "events": []}}, "InvalidAutoRollbackConfigException"),
        ({"alarmConfiguration": {"enabled": True, "alarms": []}}, "InvalidAlarmConfigException"),
        ({"serviceRoleArn": "deploy"}, "InvalidRoleException"),
        ({"deploymentConfigName": "Unknown"}, "DeploymentConfigDoesNotExistException"),
        (
            {"triggerConfigurations": [{"triggerName": "t", "triggerEvents": ["X"]}]},
            "InvalidTriggerConfigException",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_a_groups_settings_are_checked(bench: Any, settings: dict[str, Any], code: str) -> None:
    """CreateDeploymentGroup rejects values that a deployment could not use.

    Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html
    """
    with pytest.raises(ClientError) as error:
        bench.codedeploy.create_deployment_group(
            **{"applicationName": "app", "deploymentGroupName": "wrong", "serviceRoleArn": bench.role} | settings
        )
    assert error.value.response["Error"]["Code"] == code
