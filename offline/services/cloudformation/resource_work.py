"""Creates, updates and deletes single resources of one stack, with their statuses and events."""

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from serinus.offline.core.errors import AwsError
from serinus.offline.services.cloudformation import plan
from serinus.offline.services.cloudformation.dynamic_references import resolve_dynamic
from serinus.offline.services.cloudformation.errors import CloudStopping, ResourceFailed
from serinus.offline.services.cloudformation.journal import StackEventLog
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType
from serinus.offline.services.cloudformation.registry import type_of
from serinus.offline.services.cloudformation.state import Stack, StackResource
from serinus.offline.services.cloudformation.validation import check_resolved

if TYPE_CHECKING:
    from serinus.offline.services.cloudformation.engine import Engine

CREATE_CANCELLED = "Resource creation cancelled"
UPDATE_CANCELLED = "Resource update cancelled"
REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


class ResourceWork:
    """The steps of a stack operation on its resources; each raises `ResourceFailed`."""

    def __init__(self, engine: "Engine", stack: Stack, journal: StackEventLog, closing: threading.Event) -> None:
        self.engine = engine
        self.stack = stack
        self.journal = journal
        self.stop = threading.Event()
        self._closing = closing
        self._lock = threading.Lock()
        self._cancelled: set[str] = set()

    def check_open(self) -> None:
        """Raise `CloudStopping` once the cloud is being stopped."""
        if self._closing.is_set():
            raise CloudStopping("the cloud is being stopped")

    def cancel(self, logical_id: str) -> None:
        """Mark a resource whose work no longer matters; its result is kept for the rollback."""
        with self._lock:
            resource = self.stack.resources.get(logical_id)
            if resource is None or self._closing.is_set() or not resource.status.endswith("_IN_PROGRESS"):
                return
            self._cancelled.add(logical_id)
            creating = resource.status == "CREATE_IN_PROGRESS"
            reason = CREATE_CANCELLED if creating else UPDATE_CANCELLED
            self.journal.resource(resource, "CREATE_FAILED" if creating else "UPDATE_FAILED", reason)

    def create(self, want: plan.PlannedResource, *, replaces: StackResource | None = None) -> None:
        """Create a resource; a replacement leaves the old resource in place."""
        resource = StackResource(want.logical_id, want.type, definition=want.definition, needs=want.needs)
        resource.properties, resource.tags = want.properties, want.tags
        verb = "CREATE" if replaces is None else "UPDATE"
        if replaces is not None:
            resource.physical_id = replaces.physical_id
        self.stack.resources[want.logical_id] = resource
        self.journal.resource(resource, f"{verb}_IN_PROGRESS", "" if replaces is None else REPLACING)
        resource.physical_id = None

        def register_id(physical_id: str) -> None:
            if resource.physical_id is None:
                resource.physical_id = physical_id
                if not self.cancelled(want.logical_id):
                    self.journal.resource(resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated")

        self._carry_out(resource, verb, lambda kind, request: kind.create(request), register_id=register_id)

    def update(self, want: plan.PlannedResource, *, rolling_back: bool = False) -> StackResource | None:
        """Update a resource in place; returns the old one if the update gave it a new physical id."""
        resource = self.stack.resources[want.logical_id]
        before = resource.copy()
        resource.definition, resource.needs = want.definition, want.needs
        resource.properties, resource.tags = want.properties, want.tags
        self.journal.resource(resource, "UPDATE_IN_PROGRESS")
        self._carry_out(
            resource,
            "UPDATE",
            lambda kind, request: kind.update(request),
            before=before,
            rolling_back=rolling_back,
        )
        return before if before.physical_id != resource.physical_id else None

    def delete(self, resource: StackResource) -> None:
        """Delete a resource, if it was ever created."""
        kind = type_of(resource.type)
        if resource.physical_id is None or kind is None:
            self.journal.resource(resource, "DELETE_COMPLETE")
            return
        self.journal.resource(resource, "DELETE_IN_PROGRESS")
        try:
            kind.delete(self._request(resource, rolling_back=False))
        except Exception as error:
            self.check_open()
            reason = failure_reason(error)
            self.journal.resource(resource, "DELETE_FAILED", reason)
            raise ResourceFailed(reason) from error
        self.journal.resource(resource, "DELETE_COMPLETE")

    def cancelled(self, logical_id: str) -> bool:
        return logical_id in self._cancelled

    def _carry_out(
        self,
        resource: StackResource,
        verb: str,
        act: Callable[[ResourceType, ResourceRequest], ResourceState],
        *,
        before: StackResource | None = None,
        rolling_back: bool = False,
        register_id: Callable[[str], None] = lambda _: None,
    ) -> None:
        kind = type_of(resource.type)
        try:
            if kind is None:
                raise ResourceFailed(f"The offline cloud does not model {resource.type}.")
            check_resolved(resource.type, resource.logical_id, resource.properties)
            step = contextlib.nullcontext() if kind.lasting else self.engine.context.steps.step()
            with step:
                state = act(
                    kind,
                    self._request(resource, before=before, rolling_back=rolling_back, register_id=register_id),
                )
                register_id(state.physical_id)
        except Exception as error:
            self.check_open()
            reason = failure_reason(error)
            with self._lock:
                if not self.cancelled(resource.logical_id):
                    self.journal.resource(resource, f"{verb}_FAILED", reason)
            raise ResourceFailed(reason) from error
        with self._lock, self.engine.context.steps.step():
            resource.physical_id, resource.attributes = state.physical_id, state.attributes
            if not self.cancelled(resource.logical_id):
                self.journal.resource(resource, f"{verb}_COMPLETE")

    def _request(
        self,
        resource: StackResource,
        *,
        before: StackResource | None = None,
        rolling_back: bool,
        register_id: Callable[[str], None] = lambda _: None,
    ) -> ResourceRequest:
        region = self.stack.region

        def client(service: str) -> Any:
            return self.engine.context.client(service, region)

        def report(message: str) -> None:
            if not self.cancelled(resource.logical_id):
                self.journal.resource(resource, resource.status, message)

        return ResourceRequest(
            engine=self.engine,
            region=region,
            stack_id=self.stack.id,
            stack_name=self.stack.name,
            logical_id=resource.logical_id,
            type=resource.type,
            properties=resolve_dynamic(resource.properties, client),
            previous=resolve_dynamic(before.properties, client) if before else None,
            tags=resource.tags,
            previous_tags=before.tags if before else {},
            physical_id=resource.physical_id,
            attributes=resource.attributes,
            update_policy=resource.definition.get("UpdatePolicy") or {},
            rolling_back=rolling_back,
            operation_started=self.stack.updated,
            cancelled=self.stop,
            register_id=register_id,
            report=report,
        )


def failure_reason(error: BaseException) -> str:
    """An event's reason for ``error``, in AWS's words if an AWS call failed."""
    if isinstance(error, ClientError):
        answer: dict[str, Any] = error.response
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        request_id = answer.get("ResponseMetadata", {}).get("RequestId", "")
        message = answer.get("Error", {}).get("Message", str(error))
        code = answer.get("Error", {}).get("Code", "Unknown")
        return (
            f'Resource handler returned message: "{message} (Status Code: {status}, Request ID: {request_id})" '
            f"(HandlerErrorCode: {code})"
        )
    if isinstance(error, (AwsError, ResourceFailed)):
        return str(error)
    if isinstance(error, BotoCoreError):
        return f'Resource handler returned message: "{error}" (HandlerErrorCode: InvalidRequest)'
    return (
        f'Resource handler returned message: "{type(error).__name__}: {error}" (HandlerErrorCode: InternalFailure)'
    )
