"""The sandbox: invokes a function version with an event and returns AWS's response.

It owns every worker process. All methods run on the cloud's event loop.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

from serinus.offline.core.clock import Clock, ScheduledJob
from serinus.offline.core.errors import OfflineError
from serinus.offline.sandbox.cold_start import ColdStart, StartedWorker
from serinus.offline.sandbox.execution import execute
from serinus.offline.sandbox.outcomes import SignalOutcome
from serinus.offline.sandbox.pool import Capacity, Pool
from serinus.offline.sandbox.reaper_client import Reaper
from serinus.offline.sandbox.spec import FunctionSpec, Invocation, InvocationOutcome
from serinus.offline.sandbox.worker import Worker

#: Cloud seconds without work after which an on-demand worker ends.
IDLE_LIMIT_S = 600.0
IDLE_CHECK_S = 60.0


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker as the offline API shows it."""

    function: str
    version: str
    pid: int
    initialization: str
    busy: bool


class Sandbox:
    """Runs invocations on workers, which it starts, keeps warm, replaces and ends."""

    def __init__(self, capacity: Capacity, clock: Clock, idle_limit_s: float = IDLE_LIMIT_S) -> None:
        self.capacity = capacity
        self.clock = clock
        self.idle_limit_s = idle_limit_s
        self.reaper = Reaper()
        self._cold: ColdStart | None = None
        self._idle_job: ScheduledJob | None = None
        self._background: set[asyncio.Task[None]] = set()

    def start(self, cold_start: ColdStart, scratch: list[Path]) -> None:
        """Prepare to run functions; directories in ``scratch`` are removed when the cloud ends."""
        self._cold = cold_start
        self.reaper.start(scratch)
        self._idle_job = self.clock.every(IDLE_CHECK_S, self.reap_idle, name="reap idle workers")

    async def stop(self) -> None:
        """Kill every worker and wait until each has ended."""
        if self._idle_job is not None:
            self._idle_job.cancel()
        for task in list(self._background):
            task.cancel()
        workers = list(self.capacity.workers)
        for pool in self.capacity.pools.values():
            pool.retired = True
        for worker in workers:
            worker.kill()
        await asyncio.gather(*(worker.wait_gone() for worker in workers))
        await asyncio.gather(*self._background, return_exceptions=True)
        self.reaper.stop()

    async def run(self, spec: FunctionSpec, invocation: Invocation) -> InvocationOutcome:
        """Run one invocation to its end; TimeoutError if this machine had no room for it in time."""
        pool = self.pool(spec)
        worker = await self._free_worker(pool)
        if worker is not None:
            worker.journal.begin()
            started = StartedWorker(worker.journal, worker)
        else:
            started = await self._start(pool, invocation.request_id)
        outcome = await execute(started, invocation, spec, self.clock)
        if started.worker is not None:
            pool.answered(outcome.duration_ms / 1000)
        return outcome

    async def snapshot(self, spec: FunctionSpec) -> SignalOutcome | None:
        """Init a SnapStart version and keep the worker parked; returns the error, or None."""
        pool = self.pool(spec)
        if not self.capacity.make_room(pool):
            return None
        started = await self.cold.ahead(pool, "snap-start")
        if started.worker is not None and pool.retired:
            started.worker.kill()
        else:
            pool.parked = started.worker
        return started.failure

    async def provision(self, spec: FunctionSpec, count: int) -> SignalOutcome | None:
        """Keep ``count`` workers warm for ``spec``; returns the error, or None once all are ready."""
        pool = self.pool(spec)
        pool.provisioned_target = count
        surplus = len(pool.provisioned()) - count
        for worker in [idle for idle in pool.idle if idle in pool.provisioned()][: max(0, surplus)]:
            pool.idle.remove(worker)
            worker.kill()
        while len(pool.provisioned()) < pool.provisioned_target and not pool.retired:
            if not self.capacity.make_room(pool):
                limit = self.capacity.max_workers
                reason = (
                    f"this machine's limit of {limit} workers is reached; start the cloud with more max_workers"
                )
                return SignalOutcome(b"", "Unhandled", "error", reason)
            started = await self.cold.ahead(pool, "provisioned-concurrency")
            if started.worker is None:
                return started.failure
            self.capacity.idled(pool, started.worker, self.clock.time())
        return None

    def pool(self, spec: FunctionSpec) -> Pool:
        """The pool of this revision; workers of an earlier one end as they become free."""
        pool = self.capacity.pools.get(spec.key)
        if pool is None or pool.spec.revision != spec.revision:
            self.retire(spec.key)
            pool = self.capacity.pools[spec.key] = Pool(spec)
        return pool

    def has_provisioned(self, key: tuple[str, str, str]) -> bool:
        pool = self.capacity.pools.get(key)
        return pool is not None and pool.provisioned_target > 0

    def gone(self, pool: Pool, worker: Worker) -> None:
        """Remove a worker whose process ended; replace a provisioned one."""
        self.capacity.gone(pool, worker)
        if worker.initialization == "provisioned-concurrency" and not pool.retired and pool.provisioned_target:
            self._in_background(self._reprovision(pool))

    async def _reprovision(self, pool: Pool) -> None:
        await self.provision(pool.spec, pool.provisioned_target)

    def retire(self, key: tuple[str, str, str]) -> None:
        """End the workers of a deleted or changed version: idle ones now, busy ones when done."""
        pool = self.capacity.pools.pop(key, None)
        if pool is None:
            return
        pool.retired = True
        for worker in [*pool.idle, *filter(None, [pool.parked])]:
            worker.kill()

    async def kill_workers(self, function: str, version: str | None = None) -> int:
        """Kill all workers of a function (or one version), busy or not; returns their number."""
        victims = [
            worker
            for (_, name, owned), pool in self.capacity.pools.items()
            if name == function and version in (None, owned)
            for worker in pool.workers
        ]
        for worker in victims:
            worker.kill()
        return len(victims)

    async def recycle_workers(self, function: str, version: str | None = None) -> int:
        """End the on-demand workers of a function (or one version), idle ones now, busy ones once they have
        answered, as Lambda reclaims environments; returns their number."""
        ended = 0
        for (_, name, owned), pool in self.capacity.pools.items():
            if name != function or version not in (None, owned):
                continue
            for worker in [candidate for candidate in pool.workers if candidate.initialization == "on-demand"]:
                worker.recycled = True
                ended += 1
                if worker in pool.idle:
                    pool.idle.remove(worker)
                    worker.kill()
        return ended

    async def reap_idle(self) -> None:
        now = self.clock.time()
        for pool in self.capacity.pools.values():
            for worker in list(pool.idle):
                expired = now - worker.idle_since >= self.idle_limit_s
                if expired and worker.initialization != "provisioned-concurrency":
                    pool.idle.remove(worker)
                    worker.kill()

    def states(self) -> list[WorkerState]:
        return [
            WorkerState(name, version, worker.pid, worker.initialization, worker.busy)
            for (_, name, version), pool in self.capacity.pools.items()
            for worker in pool.workers
            if not worker.dead
        ]

    @property
    def cold(self) -> ColdStart:
        if self._cold is None:
            raise OfflineError("the sandbox was used before it was started")
        return self._cold

    async def _free_worker(self, pool: Pool) -> Worker | None:
        worker = await self.capacity.acquire(pool, pool.spec.timeout_s)
        while worker is not None and not worker.accepts_work:
            # It ended while idle: the platform's fault, not the request's.
            worker.kill()
            worker = await self.capacity.acquire(pool, pool.spec.timeout_s)
        return worker

    async def _start(self, pool: Pool, request_id: str) -> StartedWorker:
        parked, pool.parked = pool.parked, None
        if parked is None or parked.dead:
            return await self.cold.for_request(pool, request_id)
        self.capacity.free_room()  # the parked worker was counted when it was started
        started = await self.cold.restore(parked, request_id)
        self._in_background(self._park_another(pool))
        return started

    async def _park_another(self, pool: Pool) -> None:
        # Only into free room: a spare snapshot must not push out workers that are in use.
        if self.capacity.alive < self.capacity.max_workers and not pool.retired and self.capacity.make_room(pool):
            started = await self.cold.ahead(pool, "snap-start", muted=True)
            if started.worker is not None and pool.parked is None and not pool.retired:
                pool.parked = started.worker
            elif started.worker is not None:
                started.worker.kill()

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
