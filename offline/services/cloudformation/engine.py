"""Starts stack operations in threads and keeps their state."""

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future

from serinus.offline.core.ports import AliasDeployer, CloudContext, EventSink
from serinus.offline.services.cloudformation.custom_resource_responses import PendingResponses
from serinus.offline.services.cloudformation.errors import CloudStopping
from serinus.offline.services.cloudformation.journal import StackEventLog
from serinus.offline.services.cloudformation.operation import Operation
from serinus.offline.services.cloudformation.state import OperationInput, Revision, Stack, State
from serinus.offline.services.cloudformation.submission import Submissions

log = logging.getLogger(__name__)

#: The final status of an aborted operation, by the status in which it was aborted.
FAILED_INSTEAD = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "UPDATE_IN_PROGRESS": "UPDATE_FAILED",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
}
#: Shorter than the CDK CLI's polling interval.
LINGER_S = 4.0


class Engine:
    """Every stack of the cloud, and the operations in progress on them."""

    def __init__(self, context: CloudContext, alias_deployer: AliasDeployer, events: EventSink) -> None:
        self.context = context
        self.alias_deployer = alias_deployer
        self._events = events
        self.state = State()
        self.submissions = Submissions(context, self.state)
        self.answers = PendingResponses(context)
        #: Held while an API call reads and changes a stack's status.
        self.lock = threading.RLock()
        self._operations: dict[str, Operation] = {}
        self._closing = threading.Event()
        self._under_way: dict[str, Future[None]] = {}

    def new_stack(self, name: str, region: str) -> Stack:
        """Create a stack, still without a status."""
        stack_id = f"arn:aws:cloudformation:{region}:{self.context.config.account_id}:stack/{name}/{uuid.uuid4()}"
        stack = Stack(id=stack_id, name=name, region=region, created=self.context.clock.time())
        self.state.stacks[stack_id] = stack
        return stack

    def event_log(self, stack: Stack) -> StackEventLog:
        """The log of the events of ``stack``."""
        return StackEventLog(self.context, stack, self._events)

    def operation(self, stack: Stack, type_name: str, token: str | None) -> Operation:
        """A new operation on ``stack``; its events have their own operation id."""
        operation = self.resumed_operation(stack)
        operation.journal.begin(type_name, token)
        return operation

    def resumed_operation(self, stack: Stack) -> Operation:
        """An operation that resumes the one begun on ``stack``."""
        operation = self._operations[stack.id] = Operation(self, stack, self._closing)
        return operation

    def restore(self, state: State) -> None:
        """Replace all stacks with these."""
        self.state.stacks.clear()
        self.state.stacks.update(state.stacks)

    def running(self, stack: Stack) -> Operation | None:
        """The last operation started on ``stack``."""
        return self._operations.get(stack.id)

    def start_create(self, stack: Stack, revision: Revision, on_failure: str, token: str | None) -> Operation:
        """Start to create the stack; returns at once."""
        operation = self.operation(stack, "CREATE_STACK", token)
        stack.revision = revision
        stack.order = OperationInput(revision, on_failure)
        operation.journal.stack("CREATE_IN_PROGRESS", "User Initiated")
        self.spawn(stack, lambda: operation.create(revision, on_failure))
        return operation

    def start_update(
        self, stack: Stack, revision: Revision, *, disable_rollback: bool, token: str | None
    ) -> Operation:
        """Start to update the stack; returns at once."""
        operation = self.operation(stack, "UPDATE_STACK", token)
        operation.remember_stable()
        stack.updated = self.context.clock.time()
        stack.order = OperationInput(revision, disable_rollback=disable_rollback)
        operation.journal.stack("UPDATE_IN_PROGRESS", "User Initiated")
        self.spawn(stack, lambda: operation.update(revision, disable_rollback=disable_rollback))
        return operation

    def start_delete(
        self, stack: Stack, retain: frozenset[str], *, force: bool = False, token: str | None = None
    ) -> Operation:
        """Start to delete the stack; returns at once."""
        operation = self.operation(stack, "DELETE_STACK", token)
        stack.order = OperationInput(retain=retain, force=force)
        operation.journal.stack("DELETE_IN_PROGRESS", "User Initiated")
        self.spawn(stack, lambda: operation.delete(retain, force=force))
        return operation

    def spawn(self, stack: Stack, work: Callable[[], None]) -> None:
        """Run ``work`` in its own thread."""
        done: Future[None] = Future()
        self._under_way[stack.id] = done
        self.context.clock.at_work_until(done)
        self.context.save_soon()

        def run() -> None:
            try:
                work()
            except CloudStopping:
                log.info("the operation on stack %s was aborted in status %s", stack.name, stack.status)
            except Exception as error:
                log.exception("the operation on stack %s ended in status %s", stack.name, stack.status)
                self._fail(stack, error)
            finally:
                self.context.save_soon()
                done.set_result(None)

        threading.Thread(target=run, name=f"stack {stack.name}", daemon=True).start()

    def close(self) -> None:
        """Abort running operations, so that no thread outlives the cloud; statuses stay as they are."""
        self._closing.set()
        for operation in self._operations.values():
            operation.work.stop.set()

    def _fail(self, stack: Stack, error: Exception) -> None:
        """Give a stack a final status after an error of this cloud itself."""
        failed = FAILED_INSTEAD.get(stack.status)
        if failed is not None:
            self.event_log(stack).stack(failed, f"Internal failure: {error}")

    async def wait_briefly(self, stack_id: str) -> None:
        """Wait briefly for an operation started on a stack.

        Clients poll at once and then every few seconds: a response after a short operation has ended saves them
        the first interval.
        """
        done = self._under_way.get(stack_id)
        if done is not None:
            await asyncio.wait([asyncio.wrap_future(done)], timeout=LINGER_S)
