"""Shared by all groups of API calls: the engine, and looking up stacks with AWS's errors."""

from serinus.offline.core.errors import AwsError
from serinus.offline.core.service import Call
from serinus.offline.services.cloudformation.engine import Engine
from serinus.offline.services.cloudformation.errors import invalid
from serinus.offline.services.cloudformation.state import ChangeSet, Stack, State


class ApiBase:
    """A group of API calls on the engine's state."""

    engine: Engine

    @property
    def state(self) -> State:
        return self.engine.state

    def _stack_or_invalid(self, region: str, name: str, message: str = "Stack [{}] does not exist") -> Stack:
        stack = self.state.find(region, name)
        if stack is None:
            raise invalid(message.format(name))
        return stack

    def change_set(self, call: Call) -> tuple[Stack, ChangeSet]:
        """The change set that a call names by ARN, or by its own and its stack's name."""
        name, stack_name = call.params["ChangeSetName"], call.params.get("StackName")
        if name.startswith("arn:"):
            for stack in self.state.stacks.values():
                if name in stack.change_sets:
                    return stack, stack.change_sets[name]
        elif not stack_name:
            raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        else:
            stack = self._stack_or_invalid(call.region, stack_name)
            for change_set in stack.change_sets.values():
                if change_set.name == name:
                    return stack, change_set
        raise AwsError("ChangeSetNotFoundException", f"ChangeSet [{name}] does not exist", status=404)
