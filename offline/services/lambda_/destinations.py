"""Delivery of asynchronous results: dead-letter queues, and OnSuccess and OnFailure destinations.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.ports import CloudContext
from serinus.offline.services.lambda_.state import QueuedEvent

log = logging.getLogger(__name__)

#: The length of an error message that fits into a message attribute.
MAX_ERROR_CHARS = 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery target, by ARN, as seen from ``region``."""

    context: CloudContext
    region: str
    arn: str

    @property
    def service(self) -> str:
        return self.arn.split(":")[2]


async def deliver_to_dead_letter_queue(delivery: Delivery, event: QueuedEvent, error: str) -> bool:
    """Send the event itself, with the reason as attributes; True if that failed."""
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": event.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": error[:MAX_ERROR_CHARS] or "unknown"},
    }
    return await asyncio.to_thread(_send, delivery, event.payload.decode(), attributes, None)


async def deliver_record(delivery: Delivery, record: dict[str, Any], kind: str) -> bool:
    """Send an invocation record; ``kind`` is OnSuccess or OnFailure. True if that failed."""
    return await asyncio.to_thread(_send, delivery, json.dumps(record), None, kind)


def _send(delivery: Delivery, body: str, attributes: dict[str, Any] | None, kind: str | None) -> bool:
    client = delivery.context.client(delivery.service, delivery.arn.split(":")[3])
    try:
        match delivery.service:
            case "sqs":
                url = client.get_queue_url(QueueName=delivery.arn.split(":")[-1])["QueueUrl"]
                client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes or {})
            case "sns":
                client.publish(TopicArn=delivery.arn, Message=body, MessageAttributes=attributes or {})
            case "lambda":
                client.invoke(FunctionName=delivery.arn, InvocationType="Event", Payload=body.encode())
            case "events":
                client.put_events(Entries=[_bus_entry(delivery, body, kind or "")])
            case other:
                raise NotModelled(f"delivery of asynchronous lambda results to {other}")
    except (ClientError, BotoCoreError) as error:
        log.warning("could not deliver to %s: %s", delivery.arn, error)
        return True
    return False


def _bus_entry(delivery: Delivery, body: str, kind: str) -> dict[str, Any]:
    result = "Success" if kind == "OnSuccess" else "Failure"
    return {
        "EventBusName": delivery.arn,
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {result}",
        "Detail": body,
        "Resources": [json.loads(body)["requestContext"]["functionArn"]],
    }
