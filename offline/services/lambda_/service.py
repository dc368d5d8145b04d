"""The whole Lambda service: its operations, and the sandbox in which functions run."""

import asyncio
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from serinus.offline.core.errors import AwsError
from serinus.offline.core.logs import LogWriter
from serinus.offline.core.ports import CloudContext, Ports
from serinus.offline.core.protocol import AwsResponse
from serinus.offline.sandbox.cold_start import ColdStart
from serinus.offline.sandbox.faults import Faults, fault_from
from serinus.offline.sandbox.first_inits import FirstInits
from serinus.offline.sandbox.pool import Capacity
from serinus.offline.sandbox.provisioning import Preparation
from serinus.offline.sandbox.sandbox import Sandbox
from serinus.offline.sandbox.twins import Twins
from serinus.offline.sandbox.unpack import Unpacker
from serinus.offline.services.lambda_ import invoke_wire, own_api
from serinus.offline.services.lambda_.archives import Archives
from serinus.offline.services.lambda_.event_invoke import EventInvokeOperations
from serinus.offline.services.lambda_.execution import assume_role
from serinus.offline.services.lambda_.function_logs import FunctionLogs
from serinus.offline.services.lambda_.layers import LayerOperations
from serinus.offline.services.lambda_.permissions import PermissionOperations
from serinus.offline.services.lambda_.resuming import Resuming
from serinus.offline.services.lambda_.state import LambdaState
from serinus.offline.services.lambda_.tags import FunctionTagOperations

if TYPE_CHECKING:
    from moto.core.request import Request


@dataclass(frozen=True, slots=True)
class LambdaSnapshot:
    """A state folder's part; the folder has zips under their hash, and workers are started anew."""

    state: LambdaState
    twins: dict[str, Path]
    faults: list[dict[str, Any]]


class Lambda(
    LayerOperations,
    PermissionOperations,
    EventInvokeOperations,
    FunctionTagOperations,
    Resuming,
):
    """AWS Lambda. Unmodelled operations (function URLs, event source mappings, images) are rejected by name."""

    def __init__(self, context: CloudContext) -> None:
        super().__init__(context)
        config = context.config
        self.twins = Twins({})
        self.faults = Faults(self.dice)
        self.logs = LogWriter(context)
        self.capacity = Capacity(config.max_workers)
        self.sandbox = Sandbox(self.capacity, context.clock, config.readings.environment_idle_limit.high)

    def connect(self, ports: Ports) -> None:
        super().connect(ports)
        self._roles = ports.function_roles
        self.logs.connect(ports.log_subscribers)
        self._function_logs = FunctionLogs(self.logs, ports.metrics, ports.function_roles)

    async def start(self) -> None:
        config = self.context.config
        self.work_dir = config.work_dir or Path(tempfile.mkdtemp(prefix="offline-cloud-"))
        self.work_dir.mkdir(parents=True, exist_ok=True)
        self.archives = Archives((config.state_dir or self.work_dir) / "archives", self.context)
        self.logs.start(asyncio.get_running_loop())
        preparation = Preparation(
            self.work_dir,
            Unpacker(self.work_dir, self.twins),
            config.interpreters,
            lambda role, function, region: assume_role(self.context, self._roles, role, function, region),
            config.endpoint_url,
            self.context.clock,
        )
        self.sandbox.start(
            ColdStart(
                preparation,
                self.capacity,
                self.context.clock,
                self.faults,
                FirstInits(config),
                self.dice,
                self._function_logs.write,
                self.sandbox.reaper.announce,
                self.sandbox.gone,
            ),
            scratch=[self.work_dir] if config.work_dir is None else [],
        )
        self.resume()

    def snapshot(self) -> LambdaSnapshot:
        # An event is not saved as done without the lines that its function printed.
        self.logs.flush()
        return LambdaSnapshot(self.state, self.twins.paths, self.faults.listed())

    def restore(self, saved: LambdaSnapshot) -> None:
        self.state = saved.state
        self.twins.paths.update(saved.twins)
        for fault in saved.faults:
            self.faults.set(fault["function"], fault["version"], fault_from(fault))

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self.sandbox.stop()
        self.logs.stop()

    def routes(self) -> list[Route]:
        """The service's part of the offline-only API."""
        return own_api.routes(self)

    def open_routes(self) -> list[Route]:
        return own_api.open_routes(self)

    async def answer(self, request: "Request", region: str, access_key: str) -> AwsResponse | None:
        function = invoke_wire.invoked_function(request)
        if function is not None:
            return await self._answer_invoke(request, function, region)
        answer = await super().answer(request, region, access_key)
        if answer is not None:
            answer.headers.setdefault("x-amzn-RequestId", str(uuid.uuid4()))
        return answer

    async def _answer_invoke(self, request: "Request", function: str, region: str) -> AwsResponse:
        try:
            invocation = invoke_wire.read(request, function)
            result = await self.invoke(
                invocation.function,
                invocation.qualifier,
                invocation.payload,
                region=region,
                invocation_type=invocation.invocation_type,
                log_tail=invocation.log_tail,
                client_context=invocation.client_context,
                trace_id=invocation.trace_id,
            )
        except AwsError as error:
            return self._write(request, "Invoke", error)
        return invoke_wire.write(result)
