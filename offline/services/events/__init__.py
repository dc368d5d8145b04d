"""EventBridge: rules on schedules and patterns that hand events to functions, queues and topics.

Moto keeps rules but never runs a schedule nor calls a function, so this service is ours, whole.
"""

from serinus.offline.services.events.service import EventBridge

__all__ = ["EventBridge"]
