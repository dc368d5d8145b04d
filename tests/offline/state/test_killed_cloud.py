"""A cloud that is killed (kill -9) and started again on its state folder."""

import copy
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Until = Callable[..., Any]

STACK_SIZE = 250


def release(number: int, role: str, bake_minutes: int = 2) -> dict[str, Any]:
    """A stack whose alias shifts by CodeDeploy: 10 percent, a bake, then all."""
    return {
        "Resources": {
            "Files": {"Type": "AWS::S3::Bucket"},
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "served",
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
                    "AlarmName": "bad",
                    "Namespace": "test",
                    "MetricName": "bad",
                    "Statistic": "Sum",
                    "Period": 60,
                    "EvaluationPeriods": 1,
                    "Threshold": 0,
                    "ComparisonOperator": "GreaterThanThreshold",
                    "TreatMissingData": "notBreaching",
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


def status(cloud: Any) -> str:
    found: str = cloud.client("cloudformation").describe_stacks(StackName="app")["Stacks"][0]["StackStatus"]
    return found


def settled_status(cloud: Any, until: Until) -> str:
    found: str = until(lambda: (now := status(cloud)).endswith("_COMPLETE") and "CLEANUP" not in now and now)
    return found


def weights(cloud: Any) -> dict[str, float]:
    alias = cloud.client("lambda").get_alias(FunctionName="served", Name="live")
    found: dict[str, float] = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return found


def answer(cloud: Any) -> int:
    said: int = json.load(cloud.client("lambda").invoke(FunctionName="served", Qualifier="live")["Payload"])
    return said


def begin_shift(cloud: Any, role: str, until: Until, bake_minutes: int = 2) -> None:
    """Deploy release 1, then release 2 up to the middle of its shift."""
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(StackName="app", TemplateBody=json.dumps(release(1, role, bake_minutes)))
    assert settled_status(cloud, until) == "CREATE_COMPLETE"
    cloudformation.update_stack(StackName="app", TemplateBody=json.dumps(release(2, role, bake_minutes)))
    until(lambda: weights(cloud) == {"2": 0.1})
    cloud.settled()


def test_a_shift_under_way_ends_well_after_a_kill(
    cloud_process: Any, role: Callable[[Any], str], until: Until
) -> None:
    cloud = cloud_process
    cloud.start("--speed", "20")
    arn = role(cloud)
    begin_shift(cloud, arn, until)
    cloud.kill()
    cloud.start("--speed", "20")
    assert weights(cloud) == {"2": 0.1}
    assert status(cloud) == "UPDATE_IN_PROGRESS"
    assert settled_status(cloud, until) == "UPDATE_COMPLETE"
    assert weights(cloud) == {}
    assert answer(cloud) == 2
    deployments = cloud.client("codedeploy").list_deployments()["deployments"]
    assert len(deployments) == 1, "the shift went on; it was not begun again"
    cloud.client("cloudformation").update_stack(
        StackName="app", TemplateBody=json.dumps(release(3, arn, bake_minutes=1))
    )
    assert settled_status(cloud, until) == "UPDATE_COMPLETE"
    assert answer(cloud) == 3


def test_a_shift_under_way_is_rolled_back_when_an_alarm_goes_off_after_a_kill(
    cloud_process: Any, role: Callable[[Any], str], until: Until
) -> None:
    cloud = cloud_process
    cloud.start("--speed", "20")
    begin_shift(cloud, role(cloud), until, bake_minutes=20)
    cloud.kill()
    cloud.start("--speed", "20")
    cloud.client("cloudwatch").set_alarm_state(AlarmName="bad", StateValue="ALARM", StateReason="test")
    assert settled_status(cloud, until) == "UPDATE_ROLLBACK_COMPLETE"
    assert weights(cloud) == {}
    assert answer(cloud) == 1
    names = [
        each["Version"]
        for each in cloud.client("lambda").list_versions_by_function(FunctionName="served")["Versions"]
    ]
    assert names == ["$LATEST", "1"]


def test_a_shift_under_way_survives_an_orderly_stop(
    cloud_process: Any, role: Callable[[Any], str], until: Until
) -> None:
    cloud = cloud_process
    cloud.start("--speed", "20")
    begin_shift(cloud, role(cloud), until)
    cloud.stop()
    cloud.start("--speed", "20")
    assert weights(cloud) == {"2": 0.1}
    assert settled_status(cloud, until) == "UPDATE_COMPLETE"
    assert answer(cloud) == 2


def made(cloud: Any) -> list[dict[str, Any]]:
    """The resources of the stack that are complete."""
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName="app")
    listed = [each for page in pages for each in page["StackResourceSummaries"]]
    return [each for each in listed if each["ResourceStatus"] == "CREATE_COMPLETE"]


def events(cloud: Any) -> list[dict[str, Any]]:
    pages = cloud.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName="app")
    return [event for page in pages for event in page["StackEvents"]]


def test_a_stack_killed_while_it_is_made_ends_whole(cloud_process: Any, until: Until) -> None:
    cloud = cloud_process
    cloud.start()
    topics = {
        f"Topic{number}": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"named-{number}"}}
        for number in range(STACK_SIZE)
    }
    template = {"Resources": copy.deepcopy(topics)}
    for number in range(1, STACK_SIZE):
        template["Resources"][f"Topic{number}"]["DependsOn"] = f"Topic{number - 1}"
    cloud.client("cloudformation").create_stack(StackName="app", TemplateBody=json.dumps(template))
    until(lambda: len(made(cloud)) > 10)
    cloud.settled()
    cloud.kill()
    cloud.start()
    assert settled_status(cloud, until) == "CREATE_COMPLETE"
    assert len(made(cloud)) == STACK_SIZE
    begun = [event for event in events(cloud) if event["ResourceStatus"] == "CREATE_COMPLETE"]
    assert len(begun) == STACK_SIZE + 1, "what was made before the kill is not made again"


def test_what_services_hold_is_there_after_a_kill(
    cloud_process: Any, role: Callable[[Any], str], until: Until
) -> None:
    cloud = cloud_process
    cloud.start("--speed", "1000")
    arn, large = role(cloud), bytes(range(256)) * 4096
    cloud.client("iam").attach_role_policy(RoleName="runs", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    cloud.client("s3").create_bucket(Bucket="kept-bucket")
    cloud.client("s3").put_object(Bucket="kept-bucket", Key="large", Body=large)
    cloud.client("s3").put_object(Bucket="kept-bucket", Key="small", Body=b"small")
    cloud.client("ssm").put_parameter(Name="/kept", Value="yes", Type="String")
    queue = cloud.client("sqs").create_queue(QueueName="kept")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody="kept")
    topic = cloud.client("sns").create_topic(Name="kept")["TopicArn"]
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
    api = cloud.client("apigateway").create_rest_api(name="kept")["id"]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'kept'\n")
    cloud.client("lambda").create_function(
        FunctionName="kept",
        Runtime="python3.13",
        Role=arn,
        Handler="app.handler",
        Code={"ZipFile": zipped.getvalue()},
        Publish=True,
    )
    cloud.settled()
    before = cloud.health()["cloud_time"]
    cloud.kill()
    cloud.start("--speed", "1000")
    assert cloud.health()["cloud_time"] > before, "cloud time runs backwards"
    read = cloud.client("s3").get_object
    assert read(Bucket="kept-bucket", Key="large")["Body"].read() == large
    assert read(Bucket="kept-bucket", Key="small")["Body"].read() == b"small"
    attached = cloud.client("iam").list_attached_role_policies(RoleName="runs")["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["ReadOnlyAccess"]
    assert cloud.client("ssm").get_parameter(Name="/kept")["Parameter"]["Value"] == "yes"
    queue = cloud.client("sqs").get_queue_url(QueueName="kept")["QueueUrl"]
    assert cloud.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "kept"
    assert cloud.client("sns").list_topics()["Topics"] == [{"TopicArn": topic}]
    assert cloud.client("ecr").describe_repositories()["repositories"][0]["repositoryName"] == "kept"
    assert cloud.client("dynamodb").scan(TableName="kept")["Count"] == 1
    assert len(cloud.client("kms").list_keys()["Keys"]) == 1
    assert cloud.client("secretsmanager").get_secret_value(SecretId="kept")["SecretString"] == "secret"
    assert cloud.client("logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "kept"
    assert [rule["Name"] for rule in cloud.client("events").list_rules()["Rules"]] == ["kept", "matched"]
    assert cloud.client("apigateway").get_rest_api(restApiId=api)["name"] == "kept"
    until(lambda: json.load(cloud.client("lambda").invoke(FunctionName="kept")["Payload"]) == "kept")


def test_an_asynchronous_event_that_waits_for_its_retry_is_not_lost(
    cloud_process: Any, role: Callable[[Any], str], until: Until
) -> None:
    cloud = cloud_process
    cloud.start("--speed", "10")
    queue = cloud.client("sqs").create_queue(QueueName="dead")["QueueUrl"]
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    raise ValueError('never')\n")
    cloud.client("lambda").create_function(
        FunctionName="failing",
        Runtime="python3.13",
        Role=role(cloud),
        Handler="app.handler",
        Code={"ZipFile": zipped.getvalue()},
        DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"},
    )
    cloud.client("lambda").put_function_event_invoke_config(FunctionName="failing", MaximumRetryAttempts=1)
    cloud.client("lambda").invoke(FunctionName="failing", InvocationType="Event", Payload=b'{"n": 1}')
    cloud.settled()
    cloud.kill()
    cloud.start("--speed", "10")
    queue = cloud.client("sqs").get_queue_url(QueueName="dead")["QueueUrl"]
    receive = cloud.client("sqs").receive_message
    found = until(lambda: receive(QueueUrl=queue).get("Messages"))
    assert json.loads(found[0]["Body"]) == {"n": 1}
