"""EventBridge: rules with schedules and patterns that send events to functions, queues and topics.

Moto stores rules but never runs a schedule or invokes a function, so this service is entirely ours.
"""

from serinus.offline.services.events.service import EventBridge

__all__ = ["EventBridge"]
