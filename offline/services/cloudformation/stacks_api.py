"""API calls that change stacks."""

import asyncio
from typing import Any

from serinus.offline.core.errors import AwsError
from serinus.offline.core.service import Call
from serinus.offline.services.cloudformation.base import ApiBase
from serinus.offline.services.cloudformation.changes import NO_UPDATES, Preview
from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.operation import refuse_export_loss
from serinus.offline.services.cloudformation.state import Stack

UPDATABLE = frozenset(
    [
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "CREATE_FAILED",
        "UPDATE_FAILED",
    ]
)


class StacksApi(ApiBase):
    """CreateStack, UpdateStack, DeleteStack and the other calls that start operations."""

    def create_stack(self, call: Call) -> dict[str, Any]:
        params, name = call.params, call.params["StackName"]
        check_name(name)
        with self.engine.lock:
            if self.state.find(call.region, name) is not None:
                raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists", status=400)
            probe = Stack(id=f"{name}/probe", name=name, region=call.region, created=0)
            revision = self.engine.submissions.checked(params, probe, validate=not params.get("DisableValidation"))
            stack = self.engine.new_stack(name, call.region)
            stack.disable_rollback = bool(params.get("DisableRollback"))
            stack.retain_except_on_create = bool(params.get("RetainExceptOnCreate"))
            stack.termination_protection = bool(params.get("EnableTerminationProtection"))
            stack.timeout_minutes = params.get("TimeoutInMinutes")
            stack.deployment_config = params.get("DeploymentConfig") or {}
            on_failure = _on_failure(params)
            operation = self.engine.start_create(stack, revision, on_failure, params.get("ClientRequestToken"))
        return {"StackId": stack.id, "OperationId": operation.stack.operation_id}

    def update_stack(self, call: Call) -> dict[str, Any]:
        params = call.params
        with self.engine.lock:
            stack = self._stack_to_update(call.region, params["StackName"])
            revision = self.engine.submissions.checked(params, stack, validate=not params.get("DisableValidation"))
            preview = Preview(self.state, stack, revision, call.account_id)
            if preview.empty and stack.status not in ("UPDATE_FAILED", "CREATE_FAILED"):
                raise invalid(NO_UPDATES)
            stack.retain_except_on_create = bool(params.get("RetainExceptOnCreate"))
            operation = self.engine.start_update(
                stack,
                revision,
                disable_rollback=bool(params.get("DisableRollback")),
                token=params.get("ClientRequestToken"),
            )
        return {"StackId": stack.id, "OperationId": operation.stack.operation_id}

    async def delete_stack(self, call: Call) -> dict[str, Any]:
        stack_id = await asyncio.to_thread(self._delete, call)
        if stack_id is not None:
            await self.engine.wait_briefly(stack_id)
        return {}

    def _delete(self, call: Call) -> str | None:
        """Start to delete the stack and return its id; None if there is none."""
        params, name = call.params, call.params["StackName"]
        with self.engine.lock:
            stack = self.state.find(call.region, name)
            if stack is None or not stack.active or stack.status == "DELETE_IN_PROGRESS":
                return None
            self._check_deletable(stack, params)
            refuse_export_loss(self.state, stack)
            creating = self.engine.running(stack) if stack.status == "CREATE_IN_PROGRESS" else None
            if creating is not None:
                creating.delete_instead()
                return stack.id
            self.engine.start_delete(
                stack,
                frozenset(params.get("RetainResources") or ()),
                force=params.get("DeletionMode") == "FORCE_DELETE_STACK",
                token=params.get("ClientRequestToken"),
            )
        return stack.id

    def _check_deletable(self, stack: Stack, params: dict[str, Any]) -> None:
        if stack.termination_protection:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        busy = stack.status.endswith("_IN_PROGRESS") and stack.status not in (
            "REVIEW_IN_PROGRESS",
            "CREATE_IN_PROGRESS",
        )
        if busy:
            raise invalid(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
        if params.get("RetainResources") and stack.status != "DELETE_FAILED":
            raise invalid(
                f"Invalid operation on stack [{stack.id}]. When you use the RetainResources parameter, the stack "
                "must be in DELETE_FAILED state."
            )

    def cancel_update_stack(self, call: Call) -> dict[str, Any]:
        with self.engine.lock:
            stack = self._stack_or_invalid(call.region, call.params["StackName"])
            operation = self.engine.running(stack)
            if stack.status != "UPDATE_IN_PROGRESS" or operation is None:
                raise invalid("CancelUpdateStack cannot be called from current stack status")
            operation.cancel_update()
        return {}

    def continue_update_rollback(self, call: Call) -> dict[str, Any]:
        params = call.params
        with self.engine.lock:
            stack = self._stack_or_invalid(call.region, params["StackName"])
            if stack.status != "UPDATE_ROLLBACK_FAILED" or stack.stable is None:
                raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not continue rollback.")
            operation = self.engine.operation(stack, "CONTINUE_ROLLBACK", params.get("ClientRequestToken"))
            operation.journal.stack("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
            skip = frozenset(params.get("ResourcesToSkip") or ())
            self.engine.spawn(stack, lambda: operation.roll_back_update(skip))
        return {}

    def rollback_stack(self, call: Call) -> dict[str, Any]:
        params = call.params
        with self.engine.lock:
            stack = self._stack_or_invalid(call.region, params["StackName"])
            if stack.status not in ("CREATE_FAILED", "UPDATE_FAILED"):
                raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
            stack.retain_except_on_create = bool(params.get("RetainExceptOnCreate"))
            operation = self.engine.operation(stack, "ROLLBACK", params.get("ClientRequestToken"))
            if stack.stable is None:
                operation.journal.stack("ROLLBACK_IN_PROGRESS", "User Initiated")
                self.engine.spawn(stack, operation.roll_back_create)
            else:
                operation.journal.stack("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
                self.engine.spawn(stack, lambda: operation.roll_back_update(frozenset()))
        return {"StackId": stack.id, "OperationId": stack.operation_id}

    def update_termination_protection(self, call: Call) -> dict[str, Any]:
        stack = self._stack_or_invalid(call.region, call.params["StackName"])
        stack.termination_protection = bool(call.params["EnableTerminationProtection"])
        return {"StackId": stack.id}

    def _stack_to_update(self, region: str, name: str) -> Stack:
        stack = self._stack_or_invalid(region, name)
        if stack.status not in UPDATABLE:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        return stack


def _on_failure(params: dict[str, Any]) -> str:
    if params.get("OnFailure") and params.get("DisableRollback") is not None:
        raise invalid("You can specify either DisableRollback or OnFailure, but not both.")
    failure_action: str = params.get("OnFailure") or (
        "DO_NOTHING" if params.get("DisableRollback") else "ROLLBACK"
    )
    return failure_action


def check_name(name: str) -> None:
    if not name[:1].isalpha() or not name.replace("-", "").isalnum() or len(name) > 128:
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member "
            "must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
