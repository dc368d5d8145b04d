"""SQS in CloudFormation: Queue, QueuePolicy."""

import json
from typing import Any

from serinus.offline.services.cloudformation.adapter import missing_ok, retag, text, to_boolean
from serinus.offline.services.cloudformation.intrinsics import as_text
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

ATTRIBUTES = words(
    "ContentBasedDeduplication DeduplicationScope DelaySeconds FifoQueue FifoThroughputLimit "
    "KmsDataKeyReusePeriodSeconds KmsMasterKeyId MaximumMessageSize MessageRetentionPeriod "
    "ReceiveMessageWaitTimeSeconds RedriveAllowPolicy RedrivePolicy SqsManagedSseEnabled VisibilityTimeout"
)
#: The default of an attribute that a template no longer sets.
DEFAULTS = {
    "DelaySeconds": 0,
    "MaximumMessageSize": 1_048_576,
    "MessageRetentionPeriod": 345_600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "VisibilityTimeout": 30,
    "KmsDataKeyReusePeriodSeconds": 300,
}
GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


class Queue(ResourceType):
    type = "AWS::SQS::Queue"
    modelled = ATTRIBUTES | words("QueueName Tags")
    attributes = words("Arn QueueName QueueUrl")
    taggable = True

    def create(self, request: ResourceRequest) -> ResourceState:
        sqs, properties = request.client("sqs"), request.properties
        name = properties.get("QueueName")
        if name is None:
            name = (
                f"{request.name(75)}.fifo" if to_boolean(properties.get("FifoQueue", False)) else request.name(80)
            )
        attributes = {key: _attribute(properties[key]) for key in sorted(ATTRIBUTES & set(properties))}
        url = sqs.create_queue(QueueName=name, Attributes=attributes, tags=request.tags)["QueueUrl"]
        return ResourceState(url, {"Arn": request.arn("sqs", name), "QueueName": name, "QueueUrl": url})

    def update(self, request: ResourceRequest) -> ResourceState:
        sqs, url, properties = request.client("sqs"), request.identity, request.properties
        changed = [key for key in sorted(ATTRIBUTES - {"FifoQueue"}) if request.changed(key)]
        attributes = {key: _attribute(properties.get(key, DEFAULTS.get(key, ""))) for key in changed}
        if attributes:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        retag(sqs, request, QueueUrl=url, tag="TagQueue", untag="UntagQueue")
        return ResourceState(url, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        with missing_ok(*GONE):
            request.client("sqs").delete_queue(QueueUrl=request.identity)


class QueuePolicy(ResourceType):
    type = "AWS::SQS::QueuePolicy"
    modelled = words("PolicyDocument Queues")
    attributes = words("Id")

    def create(self, request: ResourceRequest) -> ResourceState:
        self._set(request, request.properties["Queues"], text(request.properties["PolicyDocument"]))
        name = request.name(128)
        return ResourceState(name, {"Id": name})

    def update(self, request: ResourceRequest) -> ResourceState:
        properties = request.properties
        self._set(request, properties["Queues"], text(properties["PolicyDocument"]))
        self._set(
            request, [url for url in (request.previous or {})["Queues"] if url not in properties["Queues"]], ""
        )
        return ResourceState(request.identity, request.attributes)

    def delete(self, request: ResourceRequest) -> None:
        self._set(request, request.properties["Queues"], "")

    def _set(self, request: ResourceRequest, queues: list[str], policy: str) -> None:
        sqs = request.client("sqs")
        for url in queues:
            with missing_ok(*(() if policy else GONE)):
                sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def _attribute(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else as_text(value)
