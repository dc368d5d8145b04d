"""SNS: moto stores topics and subscriptions; confirmation and delivery are ours.

Moto delivers to its own queues. This service delivers the rest: it invokes functions, posts to HTTP endpoints,
and puts mails and text messages into an outbox, where they can be read.
"""

from serinus.offline.services.sns.service import Sns

__all__ = ["Sns"]
