"""The service: moto's operations, except for subscribing, confirming and publishing."""

import asyncio
import secrets
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.exceptions import ServiceException
from moto.sns.models import SNSBackend, sns_backends
from moto.sns.responses import SNSResponse
from starlette.routing import Route

from serinus.offline.core import pages
from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.ports import CloudContext, Ports
from serinus.offline.core.service import Call, Service
from serinus.offline.moto import sns as moto_sns
from serinus.offline.services.sns.delivery import MessageDeliveries, OutboxMessage
from serinus.offline.services.sns.messages import Document, Notification, check_structure, confirmation
from serinus.offline.services.sns.own_api import open_routes, routes

CONFIRMED_BY_ENDPOINT = frozenset({"http", "https", "email", "email-json"})
PROTOCOLS = CONFIRMED_BY_ENDPOINT | {"sms", "sqs", "lambda"}
BOOLEAN_ATTRIBUTES = frozenset({"RawMessageDelivery"})
KEPT = frozenset({"email", "email-json", "sms"})
#: Source: https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptions.html
PAGE = 100


class Sns(Service):
    name = "sns"
    missing_parameter = "InvalidParameter"
    moto_operations = frozenset(
        {
            "AddPermission",
            "CreateTopic",
            "DeleteTopic",
            "GetSubscriptionAttributes",
            "GetTopicAttributes",
            "ListTagsForResource",
            "ListTopics",
            "RemovePermission",
            "SetSubscriptionAttributes",
            "SetTopicAttributes",
            "TagResource",
            "Unsubscribe",
            "UntagResource",
        }
    )

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        #: Unconfirmed subscriptions: token -> subscription ARN.
        self._tokens: dict[str, str] = {}

    def connect(self, ports: Ports) -> None:
        self.deliveries = MessageDeliveries(self.context, ports.functions)

    async def stop(self) -> None:
        await self.deliveries.stop()

    def snapshot(self) -> tuple[dict[str, str], list[OutboxMessage]]:
        """Topics and subscriptions are moto's; unfinished deliveries are lost with the process."""
        return self._tokens, self.deliveries.outbox

    def restore(self, saved: tuple[dict[str, str], list[OutboxMessage]]) -> None:
        self._tokens, self.deliveries.outbox = saved

    def routes(self) -> list[Route]:
        return routes(self)

    def open_routes(self) -> list[Route]:
        return open_routes(self)

    def backend(self, region: str) -> SNSBackend:
        backend: SNSBackend = sns_backends[self.context.config.account_id][region]
        return backend

    async def subscribe(self, call: Call) -> Document:
        protocol, endpoint = call.params["Protocol"], call.params.get("Endpoint") or ""
        if protocol == "firehose":
            raise NotModelled("sns: subscriptions of Firehose streams", "Use queues, functions or HTTP.")
        if protocol == "application":
            raise NotModelled("sns: subscriptions of mobile endpoints", "Use queues, functions or HTTP.")
        if protocol not in PROTOCOLS:
            raise AwsError(
                "InvalidParameter", f"Invalid parameter: Does not support this protocol string: {protocol}"
            )
        if protocol in ("http", "https") and not endpoint.startswith(f"{protocol}://"):
            raise AwsError("InvalidParameter", "Invalid parameter: Endpoint must match the specified protocol")
        backend = self.backend(call.region)
        with moto_errors():
            known = set(backend.subscriptions)
            subscription: Any = backend.subscribe(call.params["TopicArn"], endpoint, protocol)
            set_attributes(backend, subscription.arn, call.params.get("Attributes") or {})
        if protocol in CONFIRMED_BY_ENDPOINT and subscription.arn not in known:
            self._ask_for_confirmation(subscription)
        if is_pending(subscription) and not call.params.get("ReturnSubscriptionArn"):
            return {"SubscriptionArn": "pending confirmation"}
        return {"SubscriptionArn": subscription.arn}

    def _ask_for_confirmation(self, subscription: Any) -> None:
        token = secrets.token_hex(64)
        self._tokens[token] = subscription.arn
        subscription.attributes["PendingConfirmation"] = True
        document = confirmation(
            subscription.topic.arn,
            token,
            str(uuid.uuid4()),
            self.context.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            self.context.config.endpoint_url,
        )
        if subscription.protocol in ("http", "https"):
            self.deliveries.post(subscription.endpoint, document, subscription.topic.arn)
            return
        text = f"{document['Message']}\n{document['SubscribeURL']}"
        note = Notification(subscription.topic.arn, document["MessageId"], text, "AWS Notification - Confirm")
        self.deliveries.keep(subscription.protocol, subscription.endpoint, note)

    async def confirm_subscription(self, call: Call) -> Document:
        return {"SubscriptionArn": self.confirm(call.params["TopicArn"], call.params["Token"])}

    def confirm(self, topic_arn: str, token: str) -> str:
        """Confirm the subscription of ``token``; returns its ARN, raises `AwsError` otherwise."""
        backend = self.backend(topic_arn.split(":")[3])
        arn = self._tokens.get(token, "")
        subscription: Any = backend.subscriptions.get(arn)
        if subscription is None or subscription.topic.arn != topic_arn:
            raise AwsError("InvalidParameter", "Invalid parameter: Token")
        subscription.attributes["PendingConfirmation"] = False
        return arn

    async def list_subscriptions(self, call: Call) -> Document:
        backend = self.backend(call.region)
        return listed(call, backend.subscriptions.values())

    async def list_subscriptions_by_topic(self, call: Call) -> Document:
        backend = self.backend(call.region)
        with moto_errors():
            topic = backend.get_topic(call.params["TopicArn"])
        return listed(
            call,
            [
                listed_subscription
                for listed_subscription in backend.subscriptions.values()
                if listed_subscription.topic == topic
            ],
        )

    async def publish(self, call: Call) -> Document:
        entry = dict(call.params)
        if entry.get("PhoneNumber"):
            return self._send_text(entry)
        topic_arn = entry.get("TopicArn") or entry.get("TargetArn") or ""
        if ":endpoint/" in topic_arn:
            raise NotModelled("sns: messages to mobile endpoints", "Publish to a topic.")
        return {"MessageId": await self._publish(call.region, topic_arn, entry)}

    async def publish_batch(self, call: Call) -> Document:
        topic_arn, entries = call.params["TopicArn"], call.params["PublishBatchRequestEntries"]
        check_batch(entries)
        successful, failed = [], []
        for entry in entries:
            try:
                message_id = await self._publish(call.region, topic_arn, entry)
                successful.append({"Id": entry["Id"], "MessageId": message_id})
            except AwsError as error:
                if error.code == "NotFound":
                    raise
                failed.append(
                    {"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True}
                )
        return {"Successful": successful, "Failed": failed}

    def _send_text(self, entry: Document) -> Document:
        message_id = str(uuid.uuid4())
        self.deliveries.keep("sms", entry["PhoneNumber"], Notification("", message_id, entry["Message"]))
        return {"MessageId": message_id}

    async def _publish(self, region: str, topic_arn: str, entry: Document) -> str:
        """Have moto check the message and deliver to queues, then deliver to all other subscribers."""
        per_protocol = entry.get("MessageStructure") == "json"
        if per_protocol:
            check_structure(entry["Message"])
        backend = self.backend(region)
        with moto_errors():
            attributes = SNSResponse()._transform_message_attributes(entry.get("MessageAttributes") or {})
            message_id: str = await asyncio.to_thread(
                backend.publish,
                entry["Message"],
                arn=topic_arn,
                subject=entry.get("Subject"),
                message_attributes=attributes,
                group_id=entry.get("MessageGroupId"),
                deduplication_id=entry.get("MessageDeduplicationId"),
                message_structure=entry.get("MessageStructure"),
            )
        notification = Notification(
            topic_arn, message_id, entry["Message"], entry.get("Subject"), attributes, per_protocol
        )
        for subscription in list(backend.subscriptions.values()):
            if subscription.topic.arn == topic_arn and wants(subscription, notification):
                self._deliver(subscription, notification)
        return message_id

    def _deliver(self, subscription: Any, notification: Notification) -> None:
        if subscription.protocol in KEPT:
            self.deliveries.keep(subscription.protocol, subscription.endpoint, notification)
        elif subscription.protocol in moto_sns.OURS:
            self.deliveries.start(subscription, notification)


def set_attributes(backend: Any, arn: str, attributes: dict[str, str]) -> None:
    """Set a new subscription's attributes, FilterPolicyScope before its FilterPolicy."""
    for name in sorted(attributes, key=lambda name: name != "FilterPolicyScope"):
        value: Any = attributes[name]
        if name in BOOLEAN_ATTRIBUTES:
            value = value.lower() == "true"
        backend.set_subscription_attributes(arn, name, value)


def is_pending(subscription: Any) -> bool:
    return subscription.attributes.get("PendingConfirmation") is True


def wants(subscription: Any, notification: Notification) -> bool:
    """Whether a confirmed subscription's filter policy accepts the notification."""
    matcher = subscription._filter_policy_matcher
    if is_pending(subscription):
        return False
    return matcher is None or matcher.matches(notification.attributes, notification.message)


def listed(call: Call, subscriptions: Iterable[Any]) -> Document:
    """One page of subscriptions, 100 as on AWS."""
    token = call.params.get("NextToken")
    unknown = AwsError("InvalidParameter", f"Invalid parameter: NextToken Reason: {token!r} was not returned")
    shown, more = pages.page(
        list(subscriptions), PAGE, token, operation=call.operation, member="NextToken", unknown=unknown
    )
    return {"Subscriptions": [described(listed_subscription) for listed_subscription in shown], **more}


def described(subscription: Any) -> Document:
    return {
        "SubscriptionArn": "PendingConfirmation" if is_pending(subscription) else subscription.arn,
        "Owner": subscription.owner,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": subscription.topic.arn,
    }


def check_batch(entries: list[Document]) -> None:
    if len(entries) > 10:
        raise AwsError("TooManyEntriesInBatchRequest", f"A batch has at most 10 messages (got {len(entries)}).")
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise AwsError("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")


@contextmanager
def moto_errors() -> Iterator[None]:
    """Convert the exceptions of moto's backend into errors of this service's model."""
    try:
        yield
    except ServiceException as error:
        raise AwsError(error.code, str(error.message)) from error
    except ValueError as error:
        raise AwsError("InvalidParameter", f"Invalid parameter: {error}") from error
