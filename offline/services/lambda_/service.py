"""The Lambda service as a whole: its operations together, and the sandbox they run functions in."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from offline.sandbox.cold_start import ColdStart
from offline.sandbox.faults import Faults
from offline.sandbox.pool import Capacity
from offline.sandbox.sandbox import Sandbox
from offline.sandbox.starting import Preparation
from offline.sandbox.twins import Twins
from offline.sandbox.unpack import Unpacker, remove_tree
from offline.services.lambda_ import offline_api
from offline.services.lambda_.archives import Archives
from offline.services.lambda_.execution import assume_role
from offline.services.lambda_.function_logs import FunctionLogs
from offline.services.lambda_.functions import FunctionOperations
from offline.services.lambda_.invocation import Invocations
from offline.services.lambda_.layers import LayerOperations
from offline.services.logs import LogWriter
from offline.wire.service import Call

if TYPE_CHECKING:
    from offline.cloud.cloud import Cloud


class Lambda(FunctionOperations, LayerOperations, Invocations):
    """AWS Lambda. What it does not model (function URLs, event source mappings, images) is refused by name."""

    def __init__(self, cloud: "Cloud") -> None:
        super().__init__(cloud)
        config = cloud.config
        self._owns_work_dir = config.work_dir is None
        self.work_dir = config.work_dir or Path(tempfile.mkdtemp(prefix="offline-cloud-"))
        kept_dir = config.state_dir or self.work_dir
        self.archives = Archives(kept_dir / "archives", cloud)
        self.twins = Twins({})
        self.faults = Faults(self.dice)
        self.logs = LogWriter(config)
        self.capacity = Capacity(config.max_workers)
        self.sandbox = Sandbox(self.capacity, cloud.clock)

    async def start(self) -> None:
        self.logs.start(asyncio.get_running_loop())
        preparation = Preparation(
            self.work_dir,
            Unpacker(self.work_dir, self.twins),
            self.cloud.config.interpreters,
            lambda role, function, region: assume_role(self.cloud, role, function, region),
            self.cloud.config.endpoint_url,
            self.cloud.clock,
        )
        sink = FunctionLogs(self.cloud, self.logs)
        self.sandbox.start(
            ColdStart(
                preparation,
                self.capacity,
                self.cloud.clock,
                self.faults,
                self.dice,
                sink.write,
                self.sandbox.reaper.announce,
            )
        )

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self.sandbox.stop()
        self.logs.stop()
        if self._owns_work_dir:
            await asyncio.to_thread(remove_tree, self.work_dir)

    def routes(self) -> list[Route]:
        """The service's part of the offline-only API."""
        return offline_api.routes(self)

    def method_for(self, operation: str) -> Callable[[Call], Any] | None:
        # `invoke` is the method that other services call; the operation of that name has another signature.
        if operation == "Invoke":
            return self._invoke_call
        return super().method_for(operation)
