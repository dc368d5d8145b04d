"""Workers by function version, and the order of requests when this machine can start no more workers.

AWS starts another execution environment whenever none is free; so does a pool, up to the machine's limit of
worker processes, unless by its own pace one is free sooner than a process starts. Otherwise a busy moment of this
machine would start one worker for each request that arrives in it, and keep the machine busy with that.

Beyond the limit, requests wait in order of arrival, and idle workers of other functions are evicted: those that
have rested for a while, or whose function has more. If any idle worker could be, two busy functions would evict
each other's in turn, and this machine would do nothing but start processes.
"""

import asyncio
import itertools
import math
from collections import deque
from dataclasses import dataclass, field

from serinus.offline.core.clock import monotonic
from serinus.offline.sandbox.spec import FunctionSpec
from serinus.offline.sandbox.worker import Worker

#: Real seconds within which a worker that has answered is expected to poll for its next invocation, and that a
#: request waits for a busy worker rather than start one, which would be slower.
FINISHING_S = 0.1
#: Real seconds after which a request has waited long enough for one of many, whatever the pace was.
PATIENCE_S = 0.5
#: Weights of the last duration in a pool's pace, if it was shorter and if it was longer: a busy moment of this
#: machine slows all invocations, whatever the function.
_QUICKER, _SLOWER = 0.3, 0.02
#: Real seconds of rest after which a worker may be evicted for any other function.
RESTED_S = 0.5


@dataclass(slots=True, eq=False)
class Pool:
    """The workers of one revision of one function version."""

    spec: FunctionSpec
    workers: set[Worker] = field(default_factory=set)
    idle: list[Worker] = field(default_factory=list)
    parked: Worker | None = None
    provisioned_target: int = 0
    retired: bool = False
    #: Smoothed real seconds of an invocation; None before the first has ended.
    pace_s: float | None = None
    #: The time of the last start of a worker, in real seconds.
    grown_at: float = -math.inf

    def answered(self, seconds: float) -> None:
        """Record that an invocation took ``seconds``."""
        if self.pace_s is None:
            self.pace_s = seconds
        else:
            self.pace_s += (_QUICKER if seconds < self.pace_s else _SLOWER) * (seconds - self.pace_s)

    def may_grow(self) -> bool:
        """Whether another worker may start now: if some are ready and quick, workers start one after another."""
        if self.pace_s is None or self.pace_s > FINISHING_S or not self.ready():
            return True
        just_grown = monotonic() - self.grown_at < FINISHING_S  # its worker may not be known yet
        return not just_grown and all(worker.initialized for worker in self.workers)

    def is_soon_free(self, ahead: int) -> bool:
        """Whether a worker will soon be free for a request with ``ahead`` others before it."""
        if self.finishing() > ahead:
            return True
        ready = self.ready()
        return self.pace_s is not None and ready > 0 and (ahead + 1) * self.pace_s <= FINISHING_S * ready

    def ready(self) -> int:
        """Workers whose init is over."""
        return sum(worker.initialized for worker in self.workers)

    def take_idle(self) -> Worker | None:
        """The free worker to use next: provisioned ones first, then the one that was used last."""
        for index in range(len(self.idle) - 1, -1, -1):
            if self.idle[index].initialization == "provisioned-concurrency":
                return self.idle.pop(index)
        return self.idle.pop() if self.idle else None

    def finishing(self) -> int:
        """Workers that have answered and will poll for their next invocation any moment."""
        return sum(worker.finishing for worker in self.workers)

    def has_surplus(self, worker: Worker) -> bool:
        """Whether ``worker`` is provisioned beyond the requested count."""
        return worker in (warm := self.provisioned()) and len(warm) > self.provisioned_target

    def provisioned(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.initialization == "provisioned-concurrency"]


@dataclass(slots=True, eq=False)
class Waiter:
    """A request that waits for a worker of ``pool``; a result of None means that there is room to start one.

    Without ``needs_room`` it only waits for a worker that is about to be free.
    """

    pool: Pool
    turn: asyncio.Future[Worker | None]
    needs_room: bool
    since: float = field(default_factory=monotonic)


class Capacity:
    """Room for worker processes on this machine, shared by all pools."""

    def __init__(self, max_workers: int) -> None:
        self.max_workers = max_workers
        self.pools: dict[tuple[str, str, str], Pool] = {}
        self.alive = 0
        #: Every worker with a process, those of retired pools too.
        self.workers: set[Worker] = set()
        self._waiters: deque[Waiter] = deque()

    async def acquire(self, pool: Pool, limit_s: float) -> Worker | None:
        """A free worker, or None for room to start one (counted at once); TimeoutError after ``limit_s``."""
        worker = pool.take_idle()
        if worker is not None:
            worker.busy = True
            return worker
        needs_room = not pool.is_soon_free(self._ahead(pool))
        if needs_room and pool.may_grow() and self.make_room(pool):
            return None
        return await self._wait(Waiter(pool, asyncio.get_running_loop().create_future(), needs_room), limit_s)

    def added(self, pool: Pool, worker: Worker) -> None:
        """Register a worker in the room that was counted for it."""
        pool.workers.add(worker)
        self.workers.add(worker)

    def make_room(self, pool: Pool) -> bool:
        """Count one more worker of ``pool`` if there is room, evicting another if necessary and allowed."""
        if self.alive >= self.max_workers and not self._evict_worker(pool):
            return False
        self.alive += 1
        pool.grown_at = monotonic()
        return True

    def claim_room(self) -> None:
        """Count one more worker unconditionally: a running invocation retries its init."""
        self.alive += 1

    def idled(self, pool: Pool, worker: Worker, now: float) -> None:
        """A worker is free again: pass it to a request that waits for its function, or let it rest."""
        if pool.retired or worker.dead or worker.recycled or pool.has_surplus(worker):
            worker.kill()
            return
        for waiter in self._waiters:
            if waiter.pool is pool:
                self._waiters.remove(waiter)
                waiter.turn.set_result(worker)
                return
        if self.alive > self.max_workers and worker.initialization != "provisioned-concurrency":
            worker.kill()  # the retry of a failed init may have exceeded the limit
            return
        worker.busy = False
        worker.idle_since, worker.resting_since = now, monotonic()
        pool.idle.append(worker)
        self._serve_waiting()

    def gone(self, pool: Pool, worker: Worker) -> None:
        """Free the room of a worker whose process has ended."""
        self.workers.discard(worker)
        if worker in pool.workers:
            pool.workers.discard(worker)
            self.alive -= 1
        if worker in pool.idle:
            pool.idle.remove(worker)
        if pool.parked is worker:
            pool.parked = None
        self._serve_waiting()

    def free_room(self) -> None:
        """Free room that was counted but not used."""
        self.alive -= 1
        self._serve_waiting()

    async def _wait(self, waiter: Waiter, limit_s: float) -> Worker | None:
        self._waiters.append(waiter)
        self._ask_for_room_later(waiter)
        try:
            async with asyncio.timeout(limit_s):
                return await waiter.turn
        except (TimeoutError, asyncio.CancelledError):
            self._abandon(waiter)
            raise

    def _ask_for_room_later(self, waiter: Waiter) -> None:
        """Request room repeatedly while it waits: others' workers come to rest meanwhile."""
        asyncio.get_running_loop().call_later(FINISHING_S, self._ask_for_room, waiter)

    def _ask_for_room(self, waiter: Waiter) -> None:
        if waiter in self._waiters:
            waited_s = monotonic() - waiter.since
            soon = waiter.pool.is_soon_free(self._ahead(waiter.pool, waiter))
            waiter.needs_room = waited_s >= PATIENCE_S or not soon
            self._serve_waiting()
            self._ask_for_room_later(waiter)

    def _ahead(self, pool: Pool, of: Waiter | None = None) -> int:
        """The number of requests that wait for ``pool``, before ``of`` if given."""
        earlier = itertools.takewhile(lambda waiter: waiter is not of, self._waiters)
        return sum(waiter.pool is pool for waiter in earlier)

    def _serve_waiting(self) -> None:
        for waiter in [each for each in self._waiters if each.needs_room]:
            if waiter.pool.may_grow() and self.make_room(waiter.pool):
                self._waiters.remove(waiter)
                waiter.turn.set_result(None)

    def _abandon(self, waiter: Waiter) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        elif waiter.turn.done() and not waiter.turn.cancelled():
            worker = waiter.turn.result()
            if worker is None:
                self.free_room()
            else:
                self.idled(waiter.pool, worker, worker.idle_since)

    def _evict_worker(self, asking: Pool) -> bool:
        rested_before = monotonic() - RESTED_S
        # The only worker of its function goes last: a function invoked now and then would start anew each time.
        evictable = [
            (len(pool.workers) == 1, worker.resting_since, index, pool)
            for pool in self.pools.values()
            for index, worker in enumerate(pool.idle)
            if worker.initialization != "provisioned-concurrency"
            and (
                not asking.workers
                or len(pool.workers) > len(asking.workers) + 1
                or worker.resting_since <= rested_before
            )
        ]
        if evictable:
            *_, index, pool = min(evictable, key=lambda entry: entry[:2])
            self._drop(pool, pool.idle.pop(index))
            return True
        for pool in self.pools.values():
            if pool.parked is not None:
                parked, pool.parked = pool.parked, None
                self._drop(pool, parked)
                return True
        return False

    def _drop(self, pool: Pool, worker: Worker) -> None:
        """Kill a worker and free its room now: the process ends within a moment."""
        pool.workers.discard(worker)
        self.alive -= 1
        worker.kill()
