"""Cloud time: the only source of time in the offline cloud.

Schedules, bakes, alarm periods and timestamps run on cloud time, which is real time, a factor faster, or
stands still until a test steps it. What is measured rather than scheduled (durations, function timeouts,
request rates) stays in real seconds: use `monotonic` for it.

Whoever must act later registers a *job* (`call_at`, `call_later`, `every`) instead of sleeping, so that a
stepped clock can run what falls due in order, to completion, without waiting.
"""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]


def monotonic() -> float:
    """Real seconds from an arbitrary start, for durations, timeouts and rates."""
    return time.monotonic()


@dataclass(order=True, slots=True)
class Scheduled:
    """A job in the queue; ``cancel`` takes it out."""

    due: float
    order: int
    job: Job = field(compare=False)
    name: str = field(compare=False)
    period_s: float | None = field(compare=False, default=None)
    cancelled: bool = field(compare=False, default=False)

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """Cloud time running ``factor`` times as fast as real time; factor 0 stands still until `advance`.

    Cloud time starts at real time (or ``start``, in epoch seconds) and never runs backwards.
    """

    def __init__(self, factor: float = 1.0, start: float | None = None) -> None:
        if factor < 0:
            raise ValueError(f"clock factor is {factor}; it must be 0 (stepped) or greater")
        self._factor = factor
        self._cloud_anchor = time.time() if start is None else start
        self._real_anchor = time.time()
        self._mono_anchor = time.monotonic()
        self._queue: list[Scheduled] = []
        self._counter = itertools.count()
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()

    @property
    def factor(self) -> float:
        return self._factor

    @property
    def stepped(self) -> bool:
        return self._factor == 0

    def time(self) -> float:
        """Cloud time in epoch seconds."""
        return self._cloud_anchor + (time.monotonic() - self._mono_anchor) * self._factor

    def now(self) -> datetime:
        """Cloud time as an aware UTC datetime."""
        return datetime.fromtimestamp(self.time(), UTC)

    def at_real(self, epoch_s: float) -> float:
        """Cloud time that corresponds to a real epoch time, such as a timestamp a function took itself."""
        return self._cloud_anchor + (epoch_s - self._real_anchor) * self._factor

    def set_factor(self, factor: float) -> None:
        """Change the speed from now on; cloud time stays continuous."""
        if factor < 0:
            raise ValueError(f"clock factor is {factor}; it must be 0 (stepped) or greater")
        self._anchor(self.time())
        self._factor = factor
        self._poke()

    def call_at(self, due: float, job: Job, *, name: str) -> Scheduled:
        """Run ``job`` once when cloud time reaches ``due`` (epoch seconds). Safe from any thread."""
        return self._push(Scheduled(due, next(self._counter), job, name))

    def call_later(self, delay_s: float, job: Job, *, name: str) -> Scheduled:
        """Run ``job`` once after ``delay_s`` cloud seconds. Safe from any thread."""
        return self.call_at(self.time() + delay_s, job, name=name)

    def every(self, period_s: float, job: Job, *, name: str, first: float | None = None) -> Scheduled:
        """Run ``job`` at ``first`` (default: one period from now) and each ``period_s`` cloud seconds after."""
        due = self.time() + period_s if first is None else first
        return self._push(Scheduled(due, next(self._counter), job, name, period_s))

    async def advance(self, seconds: float) -> None:
        """Step a standing clock: run each job that falls due within ``seconds``, in order, to completion."""
        if not self.stepped:
            raise ValueError("only a clock with factor 0 can be stepped")
        target = self.time() + seconds
        while self._queue and self._queue[0].due <= target:
            entry = heapq.heappop(self._queue)
            if entry.cancelled:
                continue
            self._anchor(max(entry.due, self.time()))
            self._repeat(entry)
            await self._run(entry)
        self._anchor(target)

    async def run(self) -> None:
        """Run due jobs until cancelled. A slow job does not hold up the others."""
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        try:
            while True:
                self._start_due()
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), self._real_seconds_to_next())
                except TimeoutError:
                    continue
        finally:
            for task in self._running:
                task.cancel()

    def _start_due(self) -> None:
        while not self.stepped and self._queue and self._queue[0].due <= self.time():
            entry = heapq.heappop(self._queue)
            if entry.cancelled:
                continue
            self._repeat(entry)
            task = asyncio.create_task(self._run(entry), name=entry.name)
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _real_seconds_to_next(self) -> float | None:
        if self.stepped or not self._queue:
            return None
        return max(0.0, (self._queue[0].due - self.time()) / self._factor)

    async def _run(self, entry: Scheduled) -> None:
        try:
            await entry.job()
        except Exception:
            log.exception("job %s failed", entry.name)

    def _repeat(self, entry: Scheduled) -> None:
        if entry.period_s is not None:
            entry.due += entry.period_s
            heapq.heappush(self._queue, entry)

    def _push(self, entry: Scheduled) -> Scheduled:
        heapq.heappush(self._queue, entry)
        self._poke()
        return entry

    def _poke(self) -> None:
        if self._loop is not None and self._wake is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def _anchor(self, cloud_time: float) -> None:
        self._cloud_anchor = cloud_time
        self._real_anchor = time.time()
        self._mono_anchor = time.monotonic()
