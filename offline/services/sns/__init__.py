"""SNS: moto keeps topics and subscriptions; confirmation and delivery are ours.

Moto delivers to its own queues. What goes to functions, over HTTP, by mail or as text message goes out from
here: functions are invoked, HTTP endpoints are posted to, mails and texts wait in an outbox to be looked at.
"""

from serinus.offline.services.sns.service import Sns

__all__ = ["Sns"]
