"""SNS in CloudFormation: Topic, Subscription, TopicPolicy."""

import json
from typing import Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.adapter import missing_ok, retag, text, to_boolean
from serinus.offline.services.cloudformation.intrinsics import as_text
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

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

    def create(self, request: ResourceRequest) -> ResourceState:
        sns, properties = request.client("sns"), request.properties
        name = properties.get("TopicName")
        if name is None:
            fifo = to_boolean(properties.get("FifoTopic", False))
            name = f"{request.name(251)}.fifo" if fifo else request.name(256)
        attributes = {key: as_text(properties[key]) for key in sorted(TOPIC_ATTRIBUTES & set(properties))}
        arn = sns.create_topic(Name=name, Attributes=attributes, Tags=to_pairs(request.tags))["TopicArn"]
        request.register_id(arn)
        for item in properties.get("Subscription") or ():
            sns.subscribe(TopicArn=arn, Protocol=item["Protocol"], Endpoint=item["Endpoint"])
        return ResourceState(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, request: ResourceRequest) -> ResourceState:
        sns, arn, properties = request.client("sns"), request.identity, request.properties
        for key in sorted(TOPIC_ATTRIBUTES - {"FifoTopic"}):
            if request.changed(key):
                value = as_text(properties.get(key, ""))
                sns.set_topic_attributes(TopicArn=arn, AttributeName=key, AttributeValue=value)
        for item in properties.get("Subscription") or ():
            sns.subscribe(TopicArn=arn, Protocol=item["Protocol"], Endpoint=item["Endpoint"])
        retag(sns, request, ResourceArn=arn)
        return ResourceState(arn, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok("NotFound"):
            request.client("sns").delete_topic(TopicArn=request.identity)


class Subscription(ResourceType):
    type = "AWS::SNS::Subscription"
    modelled = SUBSCRIPTION_ATTRIBUTES | words("Endpoint Protocol Region TopicArn")
    attributes = words("Arn")

    def create(self, request: ResourceRequest) -> ResourceState:
        properties = request.properties
        attributes = {
            key: _attribute(properties[key]) for key in sorted(SUBSCRIPTION_ATTRIBUTES & set(properties))
        }
        arn = self._sns(request).subscribe(
            TopicArn=properties["TopicArn"],
            Protocol=properties["Protocol"],
            Endpoint=properties["Endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return ResourceState(arn, {"Arn": arn})

    def update(self, request: ResourceRequest) -> ResourceState:
        sns, arn = self._sns(request), request.identity
        for key in sorted(SUBSCRIPTION_ATTRIBUTES):
            if request.changed(key):
                value = _attribute(request.properties.get(key, {} if key.endswith("Policy") else ""))
                sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=key, AttributeValue=value)
        return ResourceState(arn, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok("NotFound"):
            self._sns(request).unsubscribe(SubscriptionArn=request.identity)

    def _sns(self, request: ResourceRequest) -> Any:
        return request.context.client("sns", request.properties.get("Region") or request.region)


class TopicPolicy(ResourceType):
    type = "AWS::SNS::TopicPolicy"
    modelled = words("PolicyDocument Topics")
    attributes = words("Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        self._put(request, request.properties["Topics"])
        name = request.name(128)
        return ResourceState(name, {"Id": name})

    def update(self, request: ResourceRequest) -> ResourceState:
        self._put(request, request.properties["Topics"])
        gone = [arn for arn in (request.previous or {})["Topics"] if arn not in request.properties["Topics"]]
        self._reset(request, gone)
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        self._reset(request, request.properties["Topics"])

    def _put(self, request: ResourceRequest, topics: list[str]) -> None:
        policy = text(request.properties["PolicyDocument"])
        for arn in topics:
            request.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)

    def _reset(self, request: ResourceRequest, topics: list[str]) -> None:
        sns = request.client("sns")
        for arn in topics:
            default = json.dumps(_default_policy(arn, request.account_id))
            with missing_ok("NotFound"):
                sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=default)


def _attribute(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else as_text(value)


def _default_policy(arn: str, account_id: str) -> dict[str, Any]:
    """A topic's policy until another is set."""
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
