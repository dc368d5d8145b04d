"""What the groups of API calls share: the engine, and finding stacks as AWS words their absence."""

from offline.services.cloudformation.engine import Engine
from offline.services.cloudformation.errors import invalid
from offline.services.cloudformation.state import Stack, State


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
