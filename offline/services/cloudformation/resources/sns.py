"""SNS in CloudFormation: Topic, Subscription, TopicPolicy."""

import json
from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import missing_ok, retag, text, truth
from serinus.offline.services.cloudformation.intrinsics import as_text
from serinus.offline.services.cloudformation.provider import Made, Request, ResourceType, words

TOPIC_ATTRIBUTES = words(
    "ContentBasedDeduplication DisplayName FifoTopic KmsMasterKeyId SignatureVersion TracingConfig"
)
SUBSCRIPTION_ATTRIBUTES = words(
    "DeliveryPolicy FilterPolicy FilterPolicyScope RawMessageDelivery RedrivePolicy SubscriptionRoleArn"
)
OWNER_ACTIONS = ["Publish", "RemovePermission", "SetTopicAttributes", "DeleteTopic", "ListSubscriptionsByTopic",
                 "GetTopicAttributes", "AddPermission", "Subscribe"]  # fmt: skip


class Topic(ResourceType):
    type = "AWS::SNS::Topic"
    modelled = TOPIC_ATTRIBUTES | words("Subscription Tags TopicName")
    attributes = words("TopicArn TopicName")
    taggable = True

    def create(self, request: Request) -> Made:
        sns, wanted = request.client("sns"), request.properties
        name = wanted.get("TopicName")
        if name is None:
            fifo = truth(wanted.get("FifoTopic", False))
            name = f"{request.name(251)}.fifo" if fifo else request.name(256)
        attributes = {key: as_text(wanted[key]) for key in sorted(TOPIC_ATTRIBUTES & set(wanted))}
        arn = sns.create_topic(Name=name, Attributes=attributes, Tags=to_pairs(request.tags))["TopicArn"]
        request.claim(arn)
        for item in wanted.get("Subscription") or ():
            sns.subscribe(TopicArn=arn, Protocol=item["Protocol"], Endpoint=item["Endpoint"])
        return Made(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, request: Request) -> Made:
        sns, arn, wanted = request.client("sns"), request.identity, request.properties
        for key in sorted(TOPIC_ATTRIBUTES - {"FifoTopic"}):
            if request.changed(key):
                value = as_text(wanted.get(key, ""))
                sns.set_topic_attributes(TopicArn=arn, AttributeName=key, AttributeValue=value)
        for item in wanted.get("Subscription") or ():
            sns.subscribe(TopicArn=arn, Protocol=item["Protocol"], Endpoint=item["Endpoint"])
        retag(sns, request, ResourceArn=arn)
        return Made(arn, request.attributes)

    def delete(self, request: Request) -> None:
        with missing_ok("NotFound"):
            request.client("sns").delete_topic(TopicArn=request.identity)


class Subscription(ResourceType):
    type = "AWS::SNS::Subscription"
    modelled = SUBSCRIPTION_ATTRIBUTES | words("Endpoint Protocol Region TopicArn")
    attributes = words("Arn")

    def create(self, request: Request) -> Made:
        wanted = request.properties
        attributes = {key: _attribute(wanted[key]) for key in sorted(SUBSCRIPTION_ATTRIBUTES & set(wanted))}
        arn = self._sns(request).subscribe(
            TopicArn=wanted["TopicArn"],
            Protocol=wanted["Protocol"],
            Endpoint=wanted["Endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return Made(arn, {"Arn": arn})

    def update(self, request: Request) -> Made:
        sns, arn = self._sns(request), request.identity
        for key in sorted(SUBSCRIPTION_ATTRIBUTES):
            if request.changed(key):
                value = _attribute(request.properties.get(key, {} if key.endswith("Policy") else ""))
                sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=key, AttributeValue=value)
        return Made(arn, request.attributes)

    def delete(self, request: Request) -> None:
        with missing_ok("NotFound"):
            self._sns(request).unsubscribe(SubscriptionArn=request.identity)

    def _sns(self, request: Request) -> Any:
        return request.context.client("sns", request.properties.get("Region") or request.region)


class TopicPolicy(ResourceType):
    type = "AWS::SNS::TopicPolicy"
    modelled = words("PolicyDocument Topics")
    attributes = words("Id")

    def create(self, request: Request) -> Made:
        self._put(request, request.properties["Topics"])
        name = request.name(128)
        return Made(name, {"Id": name})

    def update(self, request: Request) -> Made:
        self._put(request, request.properties["Topics"])
        gone = [arn for arn in (request.previous or {})["Topics"] if arn not in request.properties["Topics"]]
        self._reset(request, gone)
        return Made(request.identity, request.attributes)

    def delete(self, request: Request) -> None:
        self._reset(request, request.properties["Topics"])

    def _put(self, request: Request, topics: list[str]) -> None:
        policy = text(request.properties["PolicyDocument"])
        for arn in topics:
            request.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)

    def _reset(self, request: Request, topics: list[str]) -> None:
        sns = request.client("sns")
        for arn in topics:
            default = json.dumps(_default_policy(arn, request.account_id))
            with missing_ok("NotFound"):
                sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=default)


def _attribute(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else as_text(value)


def _default_policy(arn: str, account_id: str) -> dict[str, Any]:
    """The policy that a topic has while nobody gave it another."""
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [f"SNS:{action}" for action in OWNER_ACTIONS],
                "Resource": arn,
                "Condition": {"StringEquals": {"AWS:SourceOwner": account_id}},
            }
        ],
    }
