"""Operations that no template, deploy or command calls are refused by name, and so is what would need them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from serinus.offline.client.session import isolated_session

REFUSED = {
    "apigateway": [
        "UpdateGatewayResponse",
        "UpdateIntegration",
        "UpdateIntegrationResponse",
        "UpdateMethod",
        "UpdateMethodResponse",
        "UpdateResource",
    ],
    "cloudformation": ["DescribeAccountLimits", "GetStackPolicy", "SetStackPolicy"],
    "codedeploy": ["UpdateApplication"],
    "sns": [
        "CheckIfPhoneNumberIsOptedOut",
        "CreatePlatformApplication",
        "CreatePlatformEndpoint",
        "DeleteEndpoint",
        "DeletePlatformApplication",
        "GetEndpointAttributes",
        "GetPlatformApplicationAttributes",
        "GetSMSAttributes",
        "ListEndpointsByPlatformApplication",
        "ListPhoneNumbersOptedOut",
        "ListPlatformApplications",
        "OptInPhoneNumber",
        "SetEndpointAttributes",
        "SetPlatformApplicationAttributes",
        "SetSMSAttributes",
    ],
    "stepfunctions": [
        "CreateActivity",
        "CreateStateMachineAlias",
        "DeleteActivity",
        "DeleteStateMachineAlias",
        "DescribeActivity",
        "DescribeStateMachineAlias",
        "ListActivities",
        "ListStateMachineAliases",
        "UpdateStateMachine",
        "UpdateStateMachineAlias",
    ],
}
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
ENDPOINT = "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/app/1"
TEMPLATE = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})


@pytest.fixture(scope="module")
def client(cloud: Any) -> Callable[[str], Any]:
    """Makes clients that check no parameters, so that a call's name alone decides."""
    session = isolated_session(cloud.config.root_key, "us-east-1")
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    return lambda service: session.client(service, endpoint_url=cloud.config.endpoint_url, config=config)


@pytest.mark.parametrize(
    ("service", "operation"), [(service, name) for service, names in REFUSED.items() for name in names]
)
def test_an_operation_that_nothing_calls_is_refused_by_name(
    client: Callable[[str], Any], service: str, operation: str
) -> None:
    caller = client(service)
    shape = caller.meta.service_model.operation_model(operation).input_shape
    in_path = {
        name: "x" for name, member in shape.members.items() if member.serialization.get("location") == "uri"
    }
    with pytest.raises(ClientError) as refusal:
        caller._make_api_call(operation, in_path)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert refusal.value.response["Error"]["Code"] == "NotImplemented"
    assert f"The offline cloud does not model {service}:{operation}." in str(refusal.value)


@pytest.mark.parametrize("name", ["StackPolicyBody", "StackPolicyURL"])
def test_a_stack_policy_that_nothing_would_heed_is_refused(
    aws: Callable[..., Any], stacks: Any, unique_name: Callable[..., str], name: str
) -> None:
    policy, stack = {name: '{"Statement": []}'}, unique_name("stack")
    with pytest.raises(ClientError, match=f"NotImplemented.*does not model {name} of a stack"):
        aws("cloudformation").create_stack(StackName=stack, TemplateBody=TEMPLATE, **policy)
    with pytest.raises(ClientError, match="does not exist"):
        aws("cloudformation").describe_stacks(StackName=stack)
    made = stacks.create(TEMPLATE)
    with pytest.raises(ClientError, match=f"NotImplemented.*does not model {name} of a stack"):
        aws("cloudformation").update_stack(StackName=made, TemplateBody=TEMPLATE, **policy)


def test_messages_to_mobile_endpoints_are_refused(
    aws: Callable[..., Any], unique_name: Callable[..., str]
) -> None:
    topic = aws("sns").create_topic(Name=unique_name("topic"))["TopicArn"]
    with pytest.raises(ClientError, match=r"NotImplemented.*subscriptions of mobile endpoints"):
        aws("sns").subscribe(TopicArn=topic, Protocol="application", Endpoint=ENDPOINT)
    with pytest.raises(ClientError, match=r"NotImplemented.*messages to mobile endpoints"):
        aws("sns").publish(TargetArn=ENDPOINT, Message="m")
