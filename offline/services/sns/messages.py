"""The messages that subscribers receive, in each protocol's shape.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

import json
from dataclasses import dataclass, field
from typing import Any

from serinus.offline.core.errors import AwsError

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Notification:
    """A message of a topic; ``attributes`` by name as ``{"Type", "Value"}``."""

    topic_arn: str
    message_id: str
    message: str
    subject: str | None = None
    attributes: dict[str, Document] = field(default_factory=dict)
    per_protocol: bool = False

    def text_for(self, protocol: str) -> str:
        """The message for a protocol: its own if the publisher sent one per protocol (MessageStructure json)."""
        if not self.per_protocol:
            return self.message
        texts = json.loads(self.message)
        return str(texts.get(protocol) or texts["default"])


def check_structure(message: str) -> None:
    """Raise InvalidParameter unless ``message`` is an object of texts with one under "default"."""
    try:
        texts = json.loads(message)
    except ValueError as error:
        raise AwsError(
            "InvalidParameter", "Invalid parameter: Message Structure - JSON message body failed to parse"
        ) from error
    if not isinstance(texts, dict) or not isinstance(texts.get("default"), str):
        raise AwsError(
            "InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body"
        )


def function_event(subscription_arn: str, envelope: Document) -> Document:
    """The event of a function subscribed to a topic."""
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription_arn,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": envelope["MessageId"],
                    "TopicArn": envelope["TopicArn"],
                    "Subject": envelope.get("Subject"),
                    "Message": envelope["Message"],
                    "Timestamp": envelope["Timestamp"],
                    "SignatureVersion": envelope["SignatureVersion"],
                    "Signature": envelope["Signature"],
                    "SigningCertUrl": envelope["SigningCertURL"],
                    "UnsubscribeUrl": envelope["UnsubscribeURL"],
                    "MessageAttributes": envelope.get("MessageAttributes") or {},
                },
            }
        ]
    }


def confirmation(topic_arn: str, token: str, message_id: str, timestamp: str, endpoint_url: str) -> Document:
    """An HTTP endpoint's first message; it confirms by visiting SubscribeURL or by ConfirmSubscription."""
    return {
        "Type": "SubscriptionConfirmation",
        "MessageId": message_id,
        "Token": token,
        "TopicArn": topic_arn,
        "Message": f"You have chosen to subscribe to the topic {topic_arn}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message.",
        "SubscribeURL": f"{endpoint_url}/_offline/sns/confirm?TopicArn={topic_arn}&Token={token}",
        "Timestamp": timestamp,
        "SignatureVersion": "1",
        "Signature": "",
        "SigningCertURL": f"{endpoint_url}/_offline/sns/certificate.pem",
    }
