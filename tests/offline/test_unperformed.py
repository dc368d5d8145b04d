"""What moto says it has done and never did is refused by name, and the rest of its services still answers."""

import pytest
from botocore.exceptions import ClientError

from serinus.offline.services.unperformed import UNPERFORMED

PARAMS = {
    "ecr": {"repositoryName": "r", "imageId": {"imageTag": "t"}},
    "secretsmanager": {"SecretId": "s"},
    "ssm": {
        "DocumentName": "AWS-RunShellScript",
        "InstanceIds": ["i-1"],
        "CommandId": "c" * 36,
        "InstanceId": "i-1",
    },
}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


@pytest.mark.parametrize(
    ("service", "operation"),
    [(one.name, operation) for one in UNPERFORMED for operation in one.unperformed],
)
def test_work_that_nobody_does_is_refused_by_name(aws, service, operation):
    client = aws(service)
    taken = client.meta.service_model.operation_model(operation).input_shape.members
    given = {name: value for name, value in PARAMS[service].items() if name in taken}
    with pytest.raises(ClientError) as refusal:
        client._make_api_call(operation, given)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert refusal.value.response["Error"]["Code"] == "NotImplemented"
    assert f"The offline cloud does not model {service}:{operation}." in str(refusal.value)


def test_what_is_kept_still_is(aws, unique_name):
    name = unique_name("kept")
    aws("ssm").put_parameter(Name=name, Value="v", Type="String")
    assert aws("ssm").get_parameter(Name=name)["Parameter"]["Value"] == "v"
    aws("secretsmanager").create_secret(Name=name, SecretString="s")
    assert aws("secretsmanager").get_secret_value(SecretId=name)["SecretString"] == "s"
    aws("logs").create_log_group(logGroupName=name)
    assert aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    aws("ecr").create_repository(repositoryName=name)
    assert aws("ecr").describe_repositories(repositoryNames=[name])["repositories"]


@pytest.mark.parametrize(
    ("configuration", "where"),
    [
        (
            {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": FUNCTION, "Events": ["s3:ObjectCreated:*"]}]},
            "functions",
        ),
        ({"EventBridgeConfiguration": {}}, "EventBridge"),
    ],
)
def test_notifications_that_nobody_gets_are_refused_by_name(aws, unique_name, configuration, where):
    bucket = unique_name("bucket")
    aws("s3").create_bucket(Bucket=bucket)
    with pytest.raises(ClientError, match=f"NotImplemented.*notifications of a bucket to {where}"):
        aws("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    found = aws("s3").get_bucket_notification_configuration(Bucket=bucket)
    assert not {"LambdaFunctionConfigurations", "EventBridgeConfiguration"} & found.keys()


def test_notifications_to_a_queue_arrive(aws, unique_name):
    bucket, queue = unique_name("bucket"), unique_name("queue")
    aws("s3").create_bucket(Bucket=bucket)
    url = aws("sqs").create_queue(QueueName=queue)["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    to_queue = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    aws("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=to_queue)
    aws("s3").put_object(Bucket=bucket, Key="k", Body=b"v")
    messages = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert any('"ObjectCreated:Put"' in message["Body"] for message in messages)
