"""Long lists come in pages, and a token that no page returned is refused by AWS's code."""

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serinus.offline.core.errors import AwsError
from serinus.offline.core.pages import page, position_of, token_for
from serinus.offline.services.cloudformation import inspection_api
from serinus.offline.services.codedeploy import base as codedeploy_base
from serinus.offline.services.sns import service as sns_service

UNKNOWN = AwsError("InvalidToken", "unknown")


def shown(items: Any, token: str | None, operation: str = "List") -> tuple[list[Any], str | None]:
    """A page of three, and the token of the next."""
    part, more = page(items, 3, token, operation=operation, member="Next", unknown=UNKNOWN)
    return list(part), more.get("Next")


def test_pages_follow_each_other_to_the_end():
    token, seen = None, []
    for _ in range(3):
        part, token = shown(range(7), token)
        seen.append(part)
    assert (seen, token) == ([[0, 1, 2], [3, 4, 5], [6]], None)


def test_a_full_last_page_has_no_next():
    _, token = shown("abcdef", None)
    assert shown("abcdef", token) == (list("def"), None)


def test_a_page_after_what_was_deleted_is_empty():
    _, token = shown("abcdef", None)
    assert shown("ab", token) == ([], None)


@pytest.mark.parametrize("token", ["3", "0", "-3", "soon", "ÄÖÜ", "=", "A" * 32, "x" * 5000])
def test_what_no_page_returned_is_refused(token):
    with pytest.raises(AwsError, match="unknown"):
        shown(range(7), token)


def test_a_token_is_worth_nothing_in_another_operation_or_changed():
    _, token = shown(range(7), None)
    assert token is not None
    with pytest.raises(AwsError, match="unknown"):
        shown(range(7), token, operation="Other")
    raw = bytearray(base64.urlsafe_b64decode(token))
    for place in range(len(raw)):
        changed = bytes(raw[:place]) + bytes([raw[place] ^ 1]) + bytes(raw[place + 1 :])
        assert position_of("List", base64.urlsafe_b64encode(changed).decode()) is None
    assert position_of("List", f"{token}\n") is None
    assert position_of("List", token_for("List", 2**63)) == 2**63


@pytest.mark.parametrize(
    "token", ["soon", "1", "25", token_for("ListOthers", 1)], ids=["word", "one", "many", "of another operation"]
)
@pytest.mark.parametrize(
    ("service", "operation", "member", "code"),
    [
        ("lambda", "list_functions", "Marker", "InvalidParameterValueException"),
        ("lambda", "list_layers", "Marker", "InvalidParameterValueException"),
        ("cloudwatch", "describe_alarms", "NextToken", "InvalidNextToken"),
        ("cloudwatch", "describe_alarm_history", "NextToken", "InvalidNextToken"),
        ("cloudwatch", "list_metrics", "NextToken", "InvalidNextToken"),
        ("cloudwatch", "list_dashboards", "NextToken", "InvalidParameterValue"),
        ("codedeploy", "list_applications", "nextToken", "InvalidNextTokenException"),
        ("codedeploy", "list_deployment_configs", "nextToken", "InvalidNextTokenException"),
        ("codedeploy", "list_deployments", "nextToken", "InvalidNextTokenException"),
        ("events", "list_rules", "NextToken", "ValidationException"),
        ("events", "list_event_buses", "NextToken", "ValidationException"),
        ("apigateway", "get_rest_apis", "position", "BadRequestException"),
        ("apigateway", "get_domain_names", "position", "BadRequestException"),
        ("apigatewayv2", "get_apis", "NextToken", "BadRequestException"),
        ("apigatewayv2", "get_domain_names", "NextToken", "BadRequestException"),
        ("sns", "list_subscriptions", "NextToken", "InvalidParameter"),
    ],
)
def test_a_token_that_no_page_of_the_operation_returned_is_refused(aws, service, operation, member, code, token):
    with pytest.raises(ClientError) as refused:
        getattr(aws(service), operation)(**{member: token})
    assert refused.value.response["Error"]["Code"] == code
    assert token in refused.value.response["Error"]["Message"]


def pages_of(client: Any, operation: str, key: str, size: int | None = None, **params: Any) -> list[list[Any]]:
    """The pages of ``size`` that boto3 walks through, each token taken from the page before."""
    settings = {"PageSize": size} if size else {}
    pages = client.get_paginator(operation).paginate(**params, PaginationConfig=settings)
    return [page[key] for page in pages]


def test_pages_of_a_function_s_aliases_end(aws, deploy_function):
    name = deploy_function("def handler(event, context): ...")
    for alias in "abc":
        aws("lambda").create_alias(FunctionName=name, Name=alias, FunctionVersion="$LATEST")
    pages = pages_of(aws("lambda"), "list_aliases", "Aliases", 1, FunctionName=name)
    assert [[alias["Name"] for alias in page] for page in pages] == [["a"], ["b"], ["c"]]


def test_pages_of_alarms_end(aws, unique_name):
    names = [unique_name("paged") for _ in range(3)]
    for name in names:
        aws("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="N",
            MetricName="M",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    pages = pages_of(aws("cloudwatch"), "describe_alarms", "MetricAlarms", 2, AlarmNames=names)
    assert [[alarm["AlarmName"] for alarm in page] for page in pages] == [sorted(names)[:2], sorted(names)[2:]]
    aws("cloudwatch").delete_alarms(AlarmNames=names)


def test_pages_of_deployment_configurations_end(aws, monkeypatch):
    names = aws("codedeploy").list_deployment_configs()["deploymentConfigsList"]
    monkeypatch.setattr(codedeploy_base, "PAGE", len(names) - 1)
    pages = pages_of(aws("codedeploy"), "list_deployment_configs", "deploymentConfigsList")
    assert pages == [names[:-1], names[-1:]]


def test_pages_of_rules_end(aws, unique_name):
    events, prefix = aws("events"), unique_name("paged")
    for letter in "abc":
        events.put_rule(Name=f"{prefix}-{letter}", EventPattern='{"source": ["s"]}')
    pages = pages_of(events, "list_rules", "Rules", 2, NamePrefix=prefix)
    assert [[rule["Name"][-1] for rule in page] for page in pages] == [["a", "b"], ["c"]]
    for letter in "abc":
        events.delete_rule(Name=f"{prefix}-{letter}")


def test_pages_of_a_rest_api_s_resources_end(aws, unique_name):
    client = aws("apigateway")
    api = client.create_rest_api(name=unique_name("api"))
    client.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="a")
    client.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="b")
    pages = pages_of(client, "get_resources", "items", 2, restApiId=api["id"])
    assert [[resource["path"] for resource in page] for page in pages] == [["/", "/a"], ["/b"]]
    client.delete_rest_api(restApiId=api["id"])


def test_pages_of_an_http_api_s_routes_end(aws, unique_name):
    client = aws("apigatewayv2")
    names = {"ApiId": client.create_api(Name=unique_name("api"), ProtocolType="HTTP")["ApiId"]}
    for path in "abc":
        client.create_route(**names, RouteKey=f"GET /{path}")
    pages = pages_of(client, "get_routes", "Items", 2, **names)
    assert [[route["RouteKey"][-1] for route in page] for page in pages] == [["a", "b"], ["c"]]
    client.delete_api(**names)


def test_pages_of_a_topic_s_subscriptions_end(aws, unique_name, monkeypatch):
    sns = aws("sns")
    topic = sns.create_topic(Name=unique_name("topic"))["TopicArn"]
    queues = [f"arn:aws:sqs:us-east-1:123456789012:{letter}" for letter in "abc"]
    for queue in queues:
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    monkeypatch.setattr(sns_service, "PAGE", 2)
    pages = pages_of(sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
    assert [[entry["Endpoint"] for entry in page] for page in pages] == [queues[:2], queues[2:]]
    sns.delete_topic(TopicArn=topic)


def test_pages_of_a_stack_s_events_end_and_other_tokens_are_refused(aws, stacks, monkeypatch):
    client = aws("cloudformation")
    stack = stacks.create({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
    whole = client.describe_stack_events(StackName=stack)["StackEvents"]
    monkeypatch.setattr(inspection_api, "EVENTS_A_PAGE", len(whole) - 1)
    pages = pages_of(client, "describe_stack_events", "StackEvents", StackName=stack)
    assert pages == [whole[:-1], whole[-1:]]
    for token in ("soon", "1", token_for("ListStacks", 1), token_for("DescribeStackEvents", len(whole) + 1)):
        with pytest.raises(ClientError, match=r"ValidationError.*Invalid NextToken"):
            client.describe_stack_events(StackName=stack, NextToken=token)
