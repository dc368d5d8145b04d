"""A cloud that is killed (kill -9) and started again on its state folder.

One cloud is killed once, with everything under way; each test looks at one part of what it then holds.
"""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("killed cloud")]

Until = Callable[..., Any]

STACK_SIZE = 250
LARGE = bytes(range(256)) * 4096


def release(stack: str, number: int, role: str, bake_minutes: int = 2) -> dict[str, Any]:
    """A stack whose alias shifts by CodeDeploy: 10 percent, a bake, then all."""
    return {
        "Resources": {
            "Files": {"Type": "AWS::S3::Bucket"},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": stack,
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": role,
                    "Code": {"ZipFile": f"def handler(event, context):\n    return {number}\n"},
                },
            },
            f"Version{number}": {
                "Type": "AWS::Lambda::Version",
                "DeletionPolicy": "RetainExceptOnCreate",
                "Properties": {"FunctionName": {"Ref": "Function"}, "Description": f"release {number}"},
            },
            "Alarm": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "AlarmName": f"{stack}-bad",
                    "Namespace": "test",
                    "MetricName": "bad",
                    "Statistic": "Sum",
                    "Period": 60,
                    "EvaluationPeriods": 1,
                    "Threshold": 0,
                    "ComparisonOperator": "GreaterThanThreshold",
                    "TreatMissingData": "ignore",
                },
            },
            "Application": {"Type": "AWS::CodeDeploy::Application", "Properties": {"ComputePlatform": "Lambda"}},
            "Config": {
                "Type": "AWS::CodeDeploy::DeploymentConfig",
                "Properties": {
                    "ComputePlatform": "Lambda",
                    "TrafficRoutingConfig": {
                        "Type": "TimeBasedCanary",
                        "TimeBasedCanary": {"CanaryPercentage": 10, "CanaryInterval": bake_minutes},
                    },
                },
            },
            "Group": {
                "Type": "AWS::CodeDeploy::DeploymentGroup",
                "Properties": {
                    "ApplicationName": {"Ref": "Application"},
                    "ServiceRoleArn": role,
                    "DeploymentConfigName": {"Ref": "Config"},
                    "DeploymentStyle": {
                        "DeploymentType": "BLUE_GREEN",
                        "DeploymentOption": "WITH_TRAFFIC_CONTROL",
                    },
                    "AlarmConfiguration": {"Enabled": True, "Alarms": [{"Name": {"Ref": "Alarm"}}]},
                    "AutoRollbackConfiguration": {"Enabled": True, "Events": ["DEPLOYMENT_STOP_ON_ALARM"]},
                },
            },
            "Alias": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "Name": "live",
                    "FunctionVersion": {"Fn::GetAtt": [f"Version{number}", "Version"]},
                },
                "UpdatePolicy": {
                    "CodeDeployLambdaAliasUpdate": {
                        "ApplicationName": {"Ref": "Application"},
                        "DeploymentGroupName": {"Ref": "Group"},
                    }
                },
            },
        }
    }


def status(cloud: Any, stack: str) -> str:
    described: str = cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    return described


def settled_status(cloud: Any, until: Until, stack: str) -> str:
    final: str = until(
        lambda: (now := status(cloud, stack)).endswith("_COMPLETE") and "CLEANUP" not in now and now
    )
    return final


def weights(cloud: Any, function: str) -> dict[str, float]:
    alias = cloud.client("lambda").get_alias(FunctionName=function, Name="live")
    shares: dict[str, float] = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return shares


def answer(cloud: Any, function: str) -> int:
    payload: int = json.load(cloud.client("lambda").invoke(FunctionName=function, Qualifier="live")["Payload"])
    return payload


def create_first_release(cloud: Any, stack: str, role: str, until: Until, bake_minutes: int) -> None:
    body = json.dumps(release(stack, 1, role, bake_minutes))
    cloud.client("cloudformation").create_stack(StackName=stack, TemplateBody=body)
    assert settled_status(cloud, until, stack) == "CREATE_COMPLETE"


def begin_shift(cloud: Any, stack: str, number: int, role: str, until: Until, bake_minutes: int) -> None:
    """Deploy release ``number`` up to the middle of its shift."""
    body = json.dumps(release(stack, number, role, bake_minutes))
    cloud.client("cloudformation").update_stack(StackName=stack, TemplateBody=body)
    until(lambda: weights(cloud, stack) == {str(number): 0.1})


def complete_resources(cloud: Any) -> list[dict[str, Any]]:
    """The resources of the stack `many` that are complete."""
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName="many")
    listed = [each for page in pages for each in page["StackResourceSummaries"]]
    return [each for each in listed if each["ResourceStatus"] == "CREATE_COMPLETE"]


def events(cloud: Any) -> list[dict[str, Any]]:
    pages = cloud.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName="many")
    return [event for page in pages for event in page["StackEvents"]]


def begin_stack_of_many(cloud: Any, until: Until) -> None:
    """A stack of topics, each made after the one before it, of which some are made and some are not."""
    template = {
        "Resources": {
            f"Topic{number}": {
                "Type": "AWS::SNS::Topic",
                "Properties": {"TopicName": f"named-{number}"},
                **({"DependsOn": f"Topic{number - 1}"} if number else {}),
            }
            for number in range(STACK_SIZE)
        }
    }
    cloud.client("cloudformation").create_stack(StackName="many", TemplateBody=json.dumps(template))
    until(lambda: len(complete_resources(cloud)) > 10)


def create_function(cloud: Any, name: str, role: str, body: str, **more: Any) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("app.py", f"def handler(event, context):\n    {body}\n")
    cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": zipped.getvalue()},
        **more,
    )


def send_an_event_that_waits_for_its_retry(cloud: Any, role: str) -> None:
    cloud.client("sqs").create_queue(QueueName="dead")
    dead = {"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"}
    create_function(cloud, "failing", role, "raise ValueError('never')", DeadLetterConfig=dead)
    cloud.client("lambda").put_function_event_invoke_config(FunctionName="failing", MaximumRetryAttempts=1)
    cloud.client("lambda").invoke(FunctionName="failing", InvocationType="Event", Payload=b'{"n": 1}')


def fill_services(cloud: Any, role: str) -> tuple[str, str]:
    """Something of each kind that services hold; the topic's ARN and the API's id."""
    cloud.client("iam").attach_role_policy(RoleName="runs", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    cloud.client("s3").create_bucket(Bucket="kept-bucket")
    cloud.client("s3").put_object(Bucket="kept-bucket", Key="large", Body=LARGE)
    cloud.client("s3").put_object(Bucket="kept-bucket", Key="small", Body=b"small")
    cloud.client("ssm").put_parameter(Name="/kept", Value="yes", Type="String")
    queue = cloud.client("sqs").create_queue(QueueName="kept")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="kept")
    topic: str = cloud.client("sns").create_topic(Name="kept")["TopicArn"]
    cloud.client("ecr").create_repository(repositoryName="kept")
    table = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    }
    cloud.client("dynamodb").create_table(TableName="kept", BillingMode="PAY_PER_REQUEST", **table)
    cloud.client("dynamodb").put_item(TableName="kept", Item={"id": {"S": "1"}})
    cloud.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    cloud.client("secretsmanager").create_secret(Name="kept", SecretString="secret")
    cloud.client("logs").create_log_group(logGroupName="kept")
    cloud.client("events").put_rule(Name="kept", ScheduleExpression="rate(5 minutes)")
    cloud.client("events").put_rule(Name="matched", EventPattern='{"source": ["kept"]}')
    cloud.client("events").put_targets(Rule="matched", Targets=[{"Id": "q", "Arn": topic}])
    api: str = cloud.client("apigateway").create_rest_api(name="kept")["id"]
    create_function(cloud, "kept", role, "return 'kept'", Publish=True)
    return topic, api


@dataclass(frozen=True)
class Restarted:
    """The cloud that was killed, started again, and what was seen before and just after."""

    cloud: Any
    role: str
    topic: str
    api: str
    time_before: str
    time_after: str
    #: The stacks with a shift: status of each, and weights of its alias, just after the start.
    shifts: dict[str, tuple[str, dict[str, float]]]


@pytest.fixture(scope="module")
def restarted(shared_cloud_process: Any, role: Callable[[Any], str], until: Until) -> Restarted:
    cloud = shared_cloud_process
    cloud.start("--speed", "20")
    arn = role(cloud)
    bakes = {"good": 4, "alarmed": 1000}
    for stack, minutes in bakes.items():
        create_first_release(cloud, stack, arn, until, minutes)
    topic, api = fill_services(cloud, arn)
    cloud.set_speed(1)  # so that whatever is begun now is under way until the kill, on however slow a machine
    for stack, minutes in bakes.items():
        begin_shift(cloud, stack, 2, arn, until, minutes)
    send_an_event_that_waits_for_its_retry(cloud, arn)
    begin_stack_of_many(cloud, until)
    cloud.settled()
    before = cloud.health()["cloud_time"]
    cloud.kill()
    cloud.start("--speed", "1")
    after = cloud.health()["cloud_time"]
    shifts = {stack: (status(cloud, stack), weights(cloud, stack)) for stack in bakes}
    cloud.set_speed(60)
    return Restarted(cloud, arn, topic, api, before, after, shifts)


@pytest.mark.parametrize("stack", ["good", "alarmed"])
def test_a_shift_is_under_way_after_a_kill(restarted: Restarted, stack: str) -> None:
    assert restarted.shifts[stack] == ("UPDATE_IN_PROGRESS", {"2": 0.1})


def test_a_shift_under_way_ends_well_after_a_kill_and_the_next_after_an_orderly_stop(
    restarted: Restarted, until: Until
) -> None:
    cloud = restarted.cloud
    assert settled_status(cloud, until, "good") == "UPDATE_COMPLETE"
    assert weights(cloud, "good") == {}
    assert answer(cloud, "good") == 2
    application = cloud.client("cloudformation").describe_stack_resource(
        StackName="good", LogicalResourceId="Application"
    )["StackResourceDetail"]["PhysicalResourceId"]
    groups = cloud.client("codedeploy").list_deployment_groups(applicationName=application)["deploymentGroups"]
    deployments = cloud.client("codedeploy").list_deployments(
        applicationName=application, deploymentGroupName=groups[0]
    )["deployments"]
    assert len(deployments) == 1, "the shift went on; it was not begun again"

    cloud.set_speed(1)
    begin_shift(cloud, "good", 3, restarted.role, until, bake_minutes=4)
    cloud.settled()
    cloud.stop()
    cloud.start("--speed", "1")
    assert weights(cloud, "good") == {"3": 0.1}
    cloud.set_speed(60)
    assert settled_status(cloud, until, "good") == "UPDATE_COMPLETE"
    assert answer(cloud, "good") == 3


def test_a_shift_under_way_is_rolled_back_when_an_alarm_goes_off_after_a_kill(
    restarted: Restarted, until: Until
) -> None:
    cloud = restarted.cloud
    cloud.client("cloudwatch").set_alarm_state(AlarmName="alarmed-bad", StateValue="ALARM", StateReason="test")
    assert settled_status(cloud, until, "alarmed") == "UPDATE_ROLLBACK_COMPLETE"
    assert weights(cloud, "alarmed") == {}
    assert answer(cloud, "alarmed") == 1
    names = [
        each["Version"]
        for each in cloud.client("lambda").list_versions_by_function(FunctionName="alarmed")["Versions"]
    ]
    assert names == ["$LATEST", "1"]


def test_a_stack_killed_while_it_is_made_ends_whole(restarted: Restarted, until: Until) -> None:
    cloud = restarted.cloud
    assert settled_status(cloud, until, "many") == "CREATE_COMPLETE"
    assert len(complete_resources(cloud)) == STACK_SIZE
    begun = [event for event in events(cloud) if event["ResourceStatus"] == "CREATE_COMPLETE"]
    assert len(begun) == STACK_SIZE + 1, "what was made before the kill is not made again"


def test_what_services_hold_is_there_after_a_kill(restarted: Restarted, until: Until) -> None:
    cloud = restarted.cloud
    assert restarted.time_after > restarted.time_before, "cloud time runs backwards"
    read = cloud.client("s3").get_object
    assert read(Bucket="kept-bucket", Key="large")["Body"].read() == LARGE
    assert read(Bucket="kept-bucket", Key="small")["Body"].read() == b"small"
    attached = cloud.client("iam").list_attached_role_policies(RoleName="runs")["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["ReadOnlyAccess"]
    assert cloud.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "yes"
    queue = cloud.client("sqs").get_queue_url(QueueName="kept")["QueueUrl"]
    assert cloud.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "kept"
    pages = cloud.client("sns").get_paginator("list_topics").paginate()
    topics = [each["TopicArn"] for page in pages for each in page["Topics"]]
    assert [arn for arn in topics if ":named-" not in arn] == [restarted.topic]
    assert cloud.client("ecr").describe_repositories()["repositories"][0]["repositoryName"] == "kept"
    assert cloud.client("dynamodb").scan(TableName="kept")["Count"] == 1
    assert len(cloud.client("kms").list_keys()["Keys"]) == 1
    assert cloud.client("secretsmanager").get_secret_value(SecretId="kept")["SecretString"] == "secret"
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix="kept")["logGroups"]
    assert groups[0]["logGroupName"] == "kept"
    assert [rule["Name"] for rule in cloud.client("events").list_rules()["Rules"]] == ["kept", "matched"]
    assert cloud.client("apigateway").get_rest_api(restApiId=restarted.api)["name"] == "kept"
    until(lambda: json.load(cloud.client("lambda").invoke(FunctionName="kept")["Payload"]) == "kept")


def test_an_asynchronous_event_that_waits_for_its_retry_is_not_lost(restarted: Restarted, until: Until) -> None:
    cloud = restarted.cloud
    queue = cloud.client("sqs").get_queue_url(QueueName="dead")["QueueUrl"]
    messages = until(lambda: cloud.client("sqs").receive_message(QueueUrl=queue).get("Messages"))
    assert json.loads(messages[0]["Body"]) == {"n": 1}
