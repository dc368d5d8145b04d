"""Resumes stack operations that ended with their process, when the cloud restarts with its state.

Work begun on single resources is repeated: an update in place once more, from the properties of the last good
state; a partly created resource counts as failed and is replaced.
"""

from collections.abc import Callable

from serinus.offline.services.cloudformation.engine import FAILED_INSTEAD, Engine
from serinus.offline.services.cloudformation.operation import Operation
from serinus.offline.services.cloudformation.state import Stack, StackResource

INTERRUPTED = "The cloud ended while this was under way"


def resume(engine: Engine) -> None:
    """Resume every unfinished operation."""
    for stack in list(engine.state.stacks.values()):
        _fail_change_sets(stack)
        if stack.status in FAILED_INSTEAD:
            _resume_stack(engine, stack)


def _resume_stack(engine: Engine, stack: Stack) -> None:
    forward = stack.status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
    for resource in list(stack.resources.values()):
        if resource.status.endswith("_IN_PROGRESS"):
            _undo_half(stack, resource, forward=forward)
    if stack.parent_id is not None:
        # Its parent's operation goes on, and with it this one.
        engine.event_log(stack).stack(FAILED_INSTEAD[stack.status], INTERRUPTED)
        return
    engine.spawn(stack, _work(stack, engine.resumed_operation(stack)))


def _undo_half(stack: Stack, resource: StackResource, *, forward: bool) -> None:
    good = stack.stable.resources.get(resource.logical_id) if stack.stable is not None else None
    if resource.status == "DELETE_IN_PROGRESS":
        return
    if forward and good is not None:
        stack.resources[resource.logical_id] = good.copy()
    elif forward and resource.physical_id is None:
        del stack.resources[resource.logical_id]
    else:
        resource.status = "UPDATE_FAILED" if resource.status.startswith("UPDATE") else "CREATE_FAILED"


def _work(stack: Stack, operation: Operation) -> Callable[[], None]:
    """The remaining work, by the status in which the operation was interrupted."""
    order, revision = stack.order, stack.order.revision or stack.revision
    assert revision is not None
    return {
        "CREATE_IN_PROGRESS": lambda: operation.create(revision, order.on_failure),
        "DELETE_IN_PROGRESS": lambda: operation.delete(order.retain, force=order.force),
        "ROLLBACK_IN_PROGRESS": lambda: operation.roll_back_create(stack.reason),
        "UPDATE_IN_PROGRESS": lambda: operation.update(revision, disable_rollback=order.disable_rollback),
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": lambda: operation.clean_up(revision),
        "UPDATE_ROLLBACK_IN_PROGRESS": lambda: operation.roll_back_update(frozenset()),
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": lambda: operation.roll_back_update(frozenset()),
    }[stack.status]


def _fail_change_sets(stack: Stack) -> None:
    for change_set in stack.change_sets.values():
        if change_set.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            change_set.status, change_set.reason = "FAILED", INTERRUPTED
