"""Delivery to functions, HTTP endpoints and the outbox, with retries on cloud time and dead letters.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from serinus.offline.core.errors import AwsError, OfflineError
from serinus.offline.core.ports import CloudContext, FunctionInvoker
from serinus.offline.delivery.functions import invoke_for
from serinus.offline.delivery.targets import to_queue
from serinus.offline.delivery.tasks import Background
from serinus.offline.services.sns.messages import Notification, function_event

log = logging.getLogger(__name__)

HTTP_TIMEOUT_S = 15.0
#: Cloud seconds before each further attempt. HTTP: AWS's default policy of three retries, 20 s apart;
#: functions: SNS delivers to Lambda's own queue, so that only throttling is worth another attempt.
HTTP_RETRIES_S = (20.0, 20.0, 20.0)
FUNCTION_RETRIES_S = (1.0, 1.0, 10.0, 20.0)


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A mail or text message that would have left the cloud."""

    at: str
    protocol: str
    endpoint: str
    subject: str | None
    message: str
    topic_arn: str | None
    message_id: str


class MessageDeliveries:
    """Delivers notifications to subscribers; runs on the event loop."""

    def __init__(self, context: CloudContext, functions: FunctionInvoker) -> None:
        self._context = context
        self._functions = functions
        self._background = Background(context.clock)
        self._http: httpx.AsyncClient | None = None
        self.outbox: list[OutboxMessage] = []

    async def stop(self) -> None:
        await self._background.stop()
        if self._http is not None:
            await self._http.aclose()

    def start(self, subscription: Any, notification: Notification) -> None:
        """Deliver without waiting."""
        self._background.start(self._deliver(subscription, notification))

    def post(self, endpoint: str, document: dict[str, Any], topic_arn: str) -> None:
        """Post a message other than a notification, such as a confirmation, without waiting."""
        self._background.start(
            self._with_retries(
                lambda: self._post(endpoint, json.dumps(document), http_headers(document, topic_arn)),
                HTTP_RETRIES_S,
                endpoint,
                None,
            )
        )

    def keep(self, protocol: str, endpoint: str, notification: Notification) -> None:
        """Put a mail or text message into the outbox."""
        self.outbox.append(
            OutboxMessage(
                self._context.clock.now().isoformat(),
                protocol,
                endpoint,
                notification.subject,
                notification.text_for(protocol),
                notification.topic_arn or None,
                notification.message_id,
            )
        )

    async def _deliver(self, subscription: Any, notification: Notification) -> None:
        text = notification.text_for(subscription.protocol)
        # Signing creates a key pair at a subscription's first message: too slow for the event loop.
        envelope = await asyncio.to_thread(
            subscription.get_post_data,
            text,
            notification.message_id,
            notification.subject,
            notification.attributes or None,
        )
        envelope["UnsubscribeURL"] = (
            f"{self._context.config.endpoint_url}/?Action=Unsubscribe&SubscriptionArn={subscription.arn}"
        )
        if subscription.protocol == "lambda":
            await self._to_function(subscription, envelope)
        else:
            await self._to_endpoint(subscription, envelope)

    async def _to_function(self, subscription: Any, envelope: dict[str, Any]) -> None:
        payload = json.dumps(function_event(subscription.arn, envelope)).encode()
        topic_arn = subscription.topic.arn

        async def attempt() -> None:
            await invoke_for(
                self._functions,
                subscription.endpoint,
                payload,
                principal="sns.amazonaws.com",
                source_arn=topic_arn,
            )

        await self._with_retries(attempt, FUNCTION_RETRIES_S, envelope["Message"], subscription)

    async def _to_endpoint(self, subscription: Any, envelope: dict[str, Any]) -> None:
        raw = subscription.attributes.get("RawMessageDelivery") is True
        headers = http_headers(envelope, subscription.topic.arn)
        headers["x-amz-sns-subscription-arn"] = subscription.arn
        if raw:
            headers["x-amz-sns-rawdelivery"] = "true"
        body = envelope["Message"] if raw else json.dumps(envelope)
        await self._with_retries(
            lambda: self._post(subscription.endpoint, body, headers), HTTP_RETRIES_S, body, subscription
        )

    async def _post(self, endpoint: str, body: str, headers: dict[str, str]) -> None:
        if self._http is None:
            self._http = httpx.AsyncClient(timeout=HTTP_TIMEOUT_S, trust_env=False)
        try:
            answer = await self._http.post(endpoint, content=body.encode(), headers=headers)
        except httpx.HTTPError as error:
            raise OfflineError(f"{endpoint} was not reached: {error!r}") from error
        if not answer.is_success:
            raise OfflineError(f"{endpoint} answered {answer.status_code}")

    async def _with_retries(
        self,
        attempt: Callable[[], Awaitable[None]],
        delays_s: tuple[float, ...],
        body: str,
        subscription: Any | None,
    ) -> None:
        try:
            await attempt()
        except OfflineError as error:
            if delays_s and is_retried(error):

                async def again() -> None:
                    await self._with_retries(attempt, delays_s[1:], body, subscription)

                self._context.clock.call_later(delays_s[0], again, name="sns retry")
                return
            log.warning("SNS could not deliver: %s", error)
            await self._to_dead_letters(subscription, body, error)

    async def _to_dead_letters(self, subscription: Any | None, body: str, error: OfflineError) -> None:
        policy = subscription.attributes.get("RedrivePolicy") if subscription is not None else None
        if policy:
            queue = {"Arn": json.loads(policy)["deadLetterTargetArn"]}
            attributes = {"ERROR_MESSAGE": str(error)}
            await asyncio.to_thread(to_queue, self._context, queue, body, attributes)


def is_retried(error: OfflineError) -> bool:
    """Whether another attempt may succeed; for a missing function or a denied call it cannot."""
    return not isinstance(error, AwsError) or error.code == "TooManyRequestsException"


def http_headers(document: dict[str, Any], topic_arn: str) -> dict[str, str]:
    return {
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": document["Type"],
        "x-amz-sns-message-id": document["MessageId"],
        "x-amz-sns-topic-arn": topic_arn,
    }
