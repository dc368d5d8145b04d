"""CloudFormation, entirely ours: moto's skips unknown types, never rolls back and ignores dependencies."""

from typing import ClassVar

from starlette.routing import Route

from serinus.offline.core.ports import Ports
from serinus.offline.core.service import Service
from serinus.offline.services.cloudformation.change_sets_api import ChangeSetsApi
from serinus.offline.services.cloudformation.engine import Engine
from serinus.offline.services.cloudformation.inspection_api import InspectionApi
from serinus.offline.services.cloudformation.resuming import resume
from serinus.offline.services.cloudformation.stacks_api import StacksApi
from serinus.offline.services.cloudformation.state import State


class CloudFormation(StacksApi, ChangeSetsApi, InspectionApi, Service):
    """The service; its base classes implement the calls."""

    name: ClassVar[str] = "cloudformation"
    missing_parameter: ClassVar[str] = "ValidationError"

    def connect(self, ports: Ports) -> None:
        self.engine = Engine(self.context, ports.alias_deployer, ports.events)

    async def stop(self) -> None:
        self.engine.close()

    async def start(self) -> None:
        resume(self.engine)

    def snapshot(self) -> State:
        return self.engine.state

    def restore(self, saved: State) -> None:
        self.engine.restore(saved)

    def open_routes(self) -> list[Route]:
        """``PUT cloudformation/answers/{request_id}`` receives custom resources' responses."""
        return self.engine.answers.routes()
