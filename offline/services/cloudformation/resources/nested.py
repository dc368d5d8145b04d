"""AWS::CloudFormation::Stack: a stack as a resource of another."""

from typing import TYPE_CHECKING, Any

from serinus.offline.core.tags import to_pairs
from serinus.offline.services.cloudformation.errors import ResourceFailed
from serinus.offline.services.cloudformation.intrinsics import as_text
from serinus.offline.services.cloudformation.provider import ResourceRequest, ResourceState, ResourceType, words

if TYPE_CHECKING:
    from serinus.offline.services.cloudformation.state import Stack


class NestedStack(ResourceType):
    type = "AWS::CloudFormation::Stack"
    modelled = words("Parameters Tags TemplateURL TimeoutInMinutes")
    attributes = words("*")
    taggable = True
    lasting = True

    def create(self, request: ResourceRequest) -> ResourceState:
        engine = request.engine
        parent = engine.state.stacks[request.stack_id]
        stack = engine.new_stack(request.name(128), request.region)
        stack.parent_id, stack.root_id = parent.id, parent.root_id or parent.id
        stack.timeout_minutes = request.properties.get("TimeoutInMinutes")
        request.register_id(stack.id)
        revision = engine.submissions.checked(_params(request), stack)
        operation = engine.operation(stack, "CREATE_STACK", None)
        stack.revision = revision
        operation.journal.stack("CREATE_IN_PROGRESS", "User Initiated")
        operation.create(revision, "DO_NOTHING")
        return _state_of(stack, "CREATE_COMPLETE")

    def update(self, request: ResourceRequest) -> ResourceState:
        engine = request.engine
        stack = engine.state.stacks[request.identity]
        revision = engine.submissions.checked(_params(request), stack)
        operation = engine.operation(stack, "UPDATE_STACK", None)
        if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"):
            operation.remember_stable()
        stack.updated = request.context.clock.time()
        operation.journal.stack("UPDATE_IN_PROGRESS", "User Initiated")
        operation.update(revision, disable_rollback=False)
        return _state_of(stack, "UPDATE_COMPLETE")

    def delete(self, request: ResourceRequest) -> None:
        engine = request.engine
        stack = engine.state.stacks[request.identity]
        if not stack.active:
            return
        operation = engine.operation(stack, "DELETE_STACK", None)
        operation.journal.stack("DELETE_IN_PROGRESS", "User Initiated")
        operation.delete(frozenset())
        if stack.status != "DELETE_COMPLETE":
            raise ResourceFailed(f"Embedded stack {stack.id} was not successfully deleted: {stack.reason}")


def _params(request: ResourceRequest) -> dict[str, Any]:
    """The nested stack's parameters of an API call; the parent's capabilities apply to its children too."""
    parameters = request.properties.get("Parameters") or {}
    return {
        "TemplateURL": request.properties["TemplateURL"],
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": as_text(value)} for key, value in parameters.items()
        ],
        "Tags": to_pairs(request.tags),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
    }


def _state_of(stack: "Stack", expected_status: str) -> ResourceState:
    if stack.status != expected_status:
        verb = "created" if expected_status.startswith("CREATE") else "updated"
        raise ResourceFailed(f"Embedded stack {stack.id} was not successfully {verb}: {stack.reason}")
    return ResourceState(stack.id, {f"Outputs.{output.key}": output.value for output in stack.outputs})
