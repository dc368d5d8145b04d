"""Topics and subscriptions are read as they were made and changed, and are gone once deleted."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"


@pytest.fixture
def topic(aws: Callable[..., Any], unique_name: Callable[..., str]) -> Iterator[str]:
    arn: str = aws("sns").create_topic(Name=unique_name("topic"))["TopicArn"]
    yield arn
    aws("sns").delete_topic(TopicArn=arn)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DisplayName", "Releases"),
        ("Policy", json.dumps({"Version": "2012-10-17", "Statement": []}, separators=(",", ":"))),
        ("KmsMasterKeyId", "alias/aws/sns"),
    ],
)
def test_a_topic_s_attribute_is_read_as_it_was_set(
    aws: Callable[..., Any], topic: str, name: str, value: str
) -> None:
    aws("sns").set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)
    assert aws("sns").get_topic_attributes(TopicArn=topic)["Attributes"][name] == value


def test_the_attributes_of_no_topic_are_not_found(aws: Callable[..., Any], topic: str) -> None:
    missing = f"{topic}-missing"
    with pytest.raises(aws("sns").exceptions.NotFoundException):
        aws("sns").set_topic_attributes(TopicArn=missing, AttributeName="DisplayName", AttributeValue="x")
    with pytest.raises(aws("sns").exceptions.NotFoundException):
        aws("sns").get_topic_attributes(TopicArn=missing)


def test_a_subscription_is_listed_until_it_is_unsubscribed(aws: Callable[..., Any], topic: str) -> None:
    sns = aws("sns")
    made = sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=QUEUE, Attributes={"FilterPolicy": '{"kind": ["a"]}'}
    )["SubscriptionArn"]
    attributes = sns.get_subscription_attributes(SubscriptionArn=made)["Attributes"]
    assert attributes.items() >= {"TopicArn": topic, "Protocol": "sqs", "Endpoint": QUEUE}.items()
    assert json.loads(attributes["FilterPolicy"]) == {"kind": ["a"]}
    entry = {
        "SubscriptionArn": made,
        "Owner": "123456789012",
        "Protocol": "sqs",
        "Endpoint": QUEUE,
        "TopicArn": topic,
    }
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == [entry]
    assert entry in every_subscription(sns)
    sns.unsubscribe(SubscriptionArn=made)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    assert entry not in every_subscription(sns)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.get_subscription_attributes(SubscriptionArn=made)


def every_subscription(sns: Any) -> list[dict[str, str]]:
    return list(sns.get_paginator("list_subscriptions").paginate().search("Subscriptions"))
