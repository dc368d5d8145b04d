"""Step Functions: moto stores state machines; none is ever run.

Moto answers StartExecution with an execution that never ran, whose status and history are invented.
Every operation that runs a state machine, or reports a run, is rejected here.
"""

from collections.abc import Callable
from typing import Any

from serinus.offline.core.errors import NotModelled
from serinus.offline.core.service import Call, Service

#: AWS's operations on executions, on the tasks and activities they wait for, and on the runs of their maps.
RUNNING = frozenset(
    {
        "DescribeExecution",
        "DescribeMapRun",
        "DescribeStateMachineForExecution",
        "GetActivityTask",
        "GetExecutionHistory",
        "ListExecutions",
        "ListMapRuns",
        "RedriveExecution",
        "SendTaskFailure",
        "SendTaskHeartbeat",
        "SendTaskSuccess",
        "StartExecution",
        "StartSyncExecution",
        "StopExecution",
        "TestState",
        "UpdateMapRun",
    }
)


class StepFunctions(Service):
    """Moto's state machines and their tags; the rest is rejected by name."""

    name = "stepfunctions"
    moto_operations = frozenset(
        {
            "CreateStateMachine",
            "DeleteStateMachine",
            "DescribeStateMachine",
            "ListStateMachines",
            "ListTagsForResource",
            "TagResource",
            "UntagResource",
        }
    )

    def method_for(self, operation: str) -> Callable[[Call], Any] | None:
        return _refused if operation in RUNNING else super().method_for(operation)


async def _refused(call: Call) -> None:
    raise NotModelled(f"stepfunctions:{call.operation}", "It stores state machines but does not run them.")
