"""Restricts moto's own SNS publishing to queues.

Moto would call its simulated Lambda, and post to HTTP endpoints that never confirmed, without retries and on
its caller's time. It also lets one missing queue fail the whole Publish; SNS does not.
"""

import logging
from typing import Any

from moto.sns.models import Subscription
from moto.sqs.exceptions import QueueDoesNotExist

log = logging.getLogger(__name__)

_deliver_to_queue = Subscription.publish
OURS = frozenset({"lambda", "http", "https", "email", "email-json", "sms"})


def apply() -> None:
    """Keep moto from delivering what our SNS service delivers."""
    Subscription.publish = _publish


def _publish(subscription: Any, message: str, *args: Any, **kwargs: Any) -> None:
    if subscription.protocol in OURS:
        return
    try:
        _deliver_to_queue(subscription, message, *args, **kwargs)
    except QueueDoesNotExist:
        log.warning("subscription %s: its queue does not exist", subscription.arn)
