"""Changes the status of stacks and resources, always with an event, on cloud time.

A stack's status is also reported to EventBridge:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/event-detail-stack-status-change.html
"""

import json
import uuid

from serinus.offline.core.ports import CloudContext, EventSink
from serinus.offline.services.cloudformation.state import Stack, StackEvent, StackResource

STACK_TYPE = "AWS::CloudFormation::Stack"


class StackEventLog:
    """Writes statuses and their events into one stack.

    The saved state holds a status with its event or neither: an operation that goes on from it repeats both.
    """

    def __init__(self, context: CloudContext, stack: Stack, bus: EventSink) -> None:
        self._bus = bus
        self._clock = context.clock
        self._steps = context.steps
        self._stack = stack

    def begin(self, operation_type: str, token: str | None = None) -> None:
        """Begin an operation: the following events have its id."""
        self._stack.operation_id = str(uuid.uuid4())
        self._stack.operation_type = operation_type
        self._stack.token = token

    def stack(self, status: str, reason: str = "") -> None:
        """Set the stack's status."""
        stack = self._stack
        with self._steps.step():
            stack.status, stack.reason = status, reason
            self._append(stack.name, stack.id, STACK_TYPE, status, reason, "")
        self._bus.publish(
            stack.region,
            {
                "source": "aws.cloudformation",
                "detail-type": "CloudFormation Stack Status Change",
                "resources": [stack.id],
                "detail": {
                    "stack-id": stack.id,
                    "status-details": {"status": status, "status-reason": reason},
                    "client-request-token": stack.token or "",
                },
            },
        )

    def resource(self, resource: StackResource, status: str, reason: str = "") -> None:
        """Give a resource a status."""
        properties = json.dumps(resource.properties) if not status.startswith("DELETE") else ""
        with self._steps.step():
            resource.status, resource.reason = status, reason
            resource.updated = self._clock.time()
            self._append(
                resource.logical_id, resource.physical_id or "", resource.type, status, reason, properties
            )

    def _append(
        self, logical_id: str, physical_id: str, type_name: str, status: str, reason: str, properties: str
    ) -> None:
        stack = self._stack
        # Clients sort by milliseconds: events of one stack must not share one.
        latest = stack.events[-1].time if stack.events else 0.0
        now = max(self._clock.time(), latest + 0.001)
        event_id = str(uuid.uuid4()) if type_name == STACK_TYPE else f"{logical_id}-{status}-{uuid.uuid4()}"
        stack.events.append(
            StackEvent(
                event_id=event_id,
                operation_id=stack.operation_id,
                logical_id=logical_id,
                physical_id=physical_id,
                type=type_name,
                status=status,
                time=now,
                reason=reason,
                properties=properties,
                token=stack.token,
            )
        )
