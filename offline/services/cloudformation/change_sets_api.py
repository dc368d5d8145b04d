"""API calls that create, describe, execute and delete change sets."""

import asyncio
import logging
import uuid
from typing import Any

from serinus.offline.core.errors import AwsError, NotModelled
from serinus.offline.core.service import Call
from serinus.offline.services.cloudformation.base import ApiBase
from serinus.offline.services.cloudformation.changes import NO_CHANGES, Preview
from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.shapes import change_set_summary, change_set_view
from serinus.offline.services.cloudformation.stacks_api import UPDATABLE, check_name
from serinus.offline.services.cloudformation.state import ChangeSet, Stack

log = logging.getLogger(__name__)

EARLY_VALIDATION = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. To troubleshoot Early "
    "Validation errors, use the DescribeEvents API for detailed failure information."
)


class ChangeSetsApi(ApiBase):
    """CreateChangeSet, DescribeChangeSet, ExecuteChangeSet, DeleteChangeSet, ListChangeSets."""

    async def create_change_set(self, call: Call) -> dict[str, Any]:
        answer = await asyncio.to_thread(self._create, call)
        await self.engine.wait_briefly(answer["StackId"])
        return answer

    def _create(self, call: Call) -> dict[str, Any]:
        params, name = call.params, call.params["ChangeSetName"]
        with self.engine.lock:
            stack, is_new = self._target(call)
            if any(change_set.name == name for change_set in stack.change_sets.values()):
                raise AwsError("AlreadyExistsException", f"ChangeSet {name} already exists", status=400)
            revision = self.engine.submissions.revision(params, stack)
            if is_new:
                self._register(stack)
            change_set = ChangeSet(
                id=f"arn:aws:cloudformation:{call.region}:{call.account_id}:changeSet/{name}/{uuid.uuid4()}",
                name=name,
                type=params.get("ChangeSetType") or "UPDATE",
                revision=revision,
                description=params.get("Description"),
                created=self.engine.context.clock.time(),
                on_failure=params.get("OnStackFailure"),
                include_nested=bool(params.get("IncludeNestedStacks")),
                import_existing=bool(params.get("ImportExistingResources")),
                deployment_config=params.get("DeploymentConfig") or {},
            )
            stack.change_sets[change_set.id] = change_set
        validate = not params.get("DisableValidation")
        self.engine.spawn(stack, lambda: self._compute(stack, change_set, validate=validate))
        return {"Id": change_set.id, "StackId": stack.id}

    def _target(self, call: Call) -> tuple[Stack, bool]:
        """The stack of a new change set, and whether the stack is new."""
        name, kind = call.params["StackName"], call.params.get("ChangeSetType") or "UPDATE"
        stack = self.state.find(call.region, name)
        if kind == "IMPORT":
            raise NotModelled("ChangeSetType IMPORT")
        if kind == "UPDATE":
            if stack is None:
                raise invalid(f"Stack [{name}] does not exist")
            if stack.status not in UPDATABLE:
                raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
            return stack, False
        if stack is None:
            check_name(name)
            return Stack(id="", name=name, region=call.region, created=0.0), True
        if stack.status != "REVIEW_IN_PROGRESS":
            change_set = call.params["ChangeSetName"]
            raise invalid(
                f"Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}]."
            )
        return stack, False

    def _register(self, stack: Stack) -> None:
        template = self.engine.new_stack(stack.name, stack.region)
        del self.state.stacks[template.id]
        stack.id, stack.created = template.id, template.created
        self.state.stacks[stack.id] = stack
        operation = self.engine.operation(stack, "CREATE_CHANGESET", None)
        operation.journal.stack("REVIEW_IN_PROGRESS", "User Initiated")

    def _compute(self, stack: Stack, change_set: ChangeSet, *, validate: bool) -> None:
        change_set.status = "CREATE_IN_PROGRESS"
        try:
            reason = self._fill(stack, change_set, validate=validate)
        except AwsError as error:
            reason = error.message
        except Exception as error:
            log.exception("change set %s of stack %s", change_set.name, stack.name)
            reason = f"Internal failure: {error}"
        if reason:
            change_set.reason, change_set.status = reason, "FAILED"
        else:
            change_set.execution_status = "AVAILABLE"
            change_set.status = "CREATE_COMPLETE"

    def _fill(self, stack: Stack, change_set: ChangeSet, *, validate: bool) -> str:
        """Compute the changes; returns the reason for a failure, or "" on success."""
        submissions = self.engine.submissions
        revision = change_set.revision
        change_set.failures = submissions.early_failures(revision, stack) if validate else []
        if change_set.failures:
            return EARLY_VALIDATION
        submissions.check_modelled(revision, stack)
        preview = Preview(self.state, stack, revision, self.engine.context.config.account_id)
        change_set.changes = preview.changes
        retry = stack.status in ("UPDATE_FAILED", "CREATE_FAILED")
        return NO_CHANGES if preview.empty and not retry else ""

    def describe_change_set(self, call: Call) -> dict[str, Any]:
        stack, change_set = self.change_set(call)
        return change_set_view(stack, change_set, with_values=bool(call.params.get("IncludePropertyValues")))

    def list_change_sets(self, call: Call) -> dict[str, Any]:
        stack = self._stack_or_invalid(call.region, call.params["StackName"])
        return {"Summaries": [change_set_summary(stack, item) for item in stack.change_sets.values()]}

    def delete_change_set(self, call: Call) -> dict[str, Any]:
        try:
            stack, change_set = self.change_set(call)
        except AwsError as error:
            if error.code == "ChangeSetNotFoundException":
                return {}
            raise
        if change_set.execution_status == "EXECUTE_IN_PROGRESS" or change_set.status.endswith("IN_PROGRESS"):
            raise AwsError(
                "InvalidChangeSetStatusException",
                f"ChangeSet [{change_set.id}] cannot be deleted in its current status of [{change_set.status}]",
                status=400,
            )
        del stack.change_sets[change_set.id]
        return {}

    async def execute_change_set(self, call: Call) -> dict[str, Any]:
        stack_id = await asyncio.to_thread(self._execute, call)
        await self.engine.wait_briefly(stack_id)
        return {}

    def _execute(self, call: Call) -> str:
        params = call.params
        with self.engine.lock:
            stack, change_set = self.change_set(call)
            if change_set.execution_status != "AVAILABLE":
                raise AwsError(
                    "InvalidChangeSetStatusException",
                    f"ChangeSet [{change_set.id}] cannot be executed in its current status of "
                    f"[{change_set.status}]",
                    status=400,
                )
            if change_set.on_failure and params.get("DisableRollback") is not None:
                raise invalid("You can specify either DisableRollback or OnStackFailure, but not both.")
            self._start(stack, change_set, params)
        return stack.id

    def _start(self, stack: Stack, change_set: ChangeSet, params: dict[str, Any]) -> None:
        disable_rollback = bool(params.get("DisableRollback")) or change_set.on_failure == "DO_NOTHING"
        token = params.get("ClientRequestToken")
        stack.retain_except_on_create = bool(params.get("RetainExceptOnCreate"))
        stack.disable_rollback = disable_rollback
        stack.deployment_config = change_set.deployment_config
        stack.change_set_id = change_set.id
        stack.change_sets = {change_set.id: change_set}
        change_set.execution_status = "EXECUTE_IN_PROGRESS"
        if stack.status == "REVIEW_IN_PROGRESS":
            on_failure = change_set.on_failure or ("DO_NOTHING" if disable_rollback else "ROLLBACK")
            self.engine.start_create(stack, change_set.revision, on_failure, token)
        else:
            self.engine.start_update(stack, change_set.revision, disable_rollback=disable_rollback, token=token)
        change_set.execution_status = "EXECUTE_COMPLETE"
