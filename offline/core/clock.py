"""Cloud time: the only source of time in the offline cloud.

Schedules, bakes, alarm periods and timestamps run on cloud time, which is real time, a factor faster, or
stands still until a test steps it. Measured rather than scheduled times (durations, function timeouts, request
rates) stay in real seconds: use `monotonic` for them.

A fast clock must not outrun what it started: at sixty cloud seconds a second, a function that this machine takes
four seconds to start would seem to have kept everyone waiting for four minutes. `Clock.awaiting` bounds that.

A clock at real speed can also skip the time in which nothing happens (`Clock.skip_to`): work takes as long as it
takes, and the minutes between the end of it and the next due job take none.

Code that must act later registers a *job* (`call_at`, `call_later`, `every`) instead of sleeping, so that a
stepped clock can run what falls due in order, to completion, without waiting.
"""

import asyncio
import bisect
import contextlib
import heapq
import itertools
import logging
import math
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

log = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]

#: Changes of speed and steps that `Clock.at_real` remembers; older real times count as the oldest.
REMEMBERED_ANCHORS = 4096
#: Cloud seconds by which a fast clock may run ahead of real time while work is awaited: half of the shortest
#: schedule, and the time that a function that is quick on AWS may take here without slowing cloud time.
HEAD_START_S = 30.0
#: Cloud seconds that can be skipped at once.
LONGEST_SKIP_S = 366 * 86400
#: Real seconds between looks at whether work has ended, for work that ends in another thread.
_IDLE_POLL_S = 0.002
_SHORTEST_POLL_S = 0.0002


def monotonic() -> float:
    """Real seconds from an arbitrary start, for durations, timeouts and rates."""
    return time.monotonic()


def real_time() -> float:
    """Real epoch seconds, for times that are compared outside the cloud, such as a function's deadline."""
    return time.time()


@dataclass(order=True, slots=True)
class ScheduledJob:
    """A job in the queue; ``cancel`` takes it out."""

    due: float
    order: int
    job: Job = field(compare=False)
    name: str = field(compare=False)
    period_s: float | None = field(compare=False, default=None)
    cancelled: bool = field(compare=False, default=False)

    def cancel(self) -> None:
        self.cancelled = True


@dataclass(frozen=True, slots=True, eq=False)
class Hold:
    """Work in progress, during which cloud time gets at most ``lead_s`` ahead of monotonic time."""

    lead_s: float


@dataclass(frozen=True, slots=True)
class Anchor:
    """An instant at which cloud, real and monotonic time were known, the speed from there on, and its holds, the
    strictest of which lets cloud time get ``lead_s`` ahead of monotonic time."""

    cloud: float
    real: float
    mono: float
    factor: float
    holds: tuple[Hold, ...] = ()
    lead_s: float = math.inf

    def free(self, mono: float) -> float:
        """Cloud time if nothing held it."""
        return self.cloud + (mono - self.mono) * self.factor

    def at(self, mono: float) -> float:
        """Cloud time."""
        free = self.free(mono)
        return free if self.factor <= 1 else min(free, mono + self.lead_s)

    def under(self, holds: tuple[Hold, ...]) -> "Anchor":
        """The same instant with other holds."""
        return replace(self, holds=holds, lead_s=min((hold.lead_s for hold in holds), default=math.inf))


class Clock:
    """Cloud time running ``factor`` times as fast as real time; factor 0 stands still until `advance`.

    Cloud time starts at real time (or ``start``, in epoch seconds) and never runs backwards. Reading it
    and registering jobs are safe from any thread; jobs run on the event loop of `run`.
    """

    def __init__(self, factor: float = 1.0, start: float | None = None) -> None:
        _check(factor)
        real = time.time()
        self._anchor = Anchor(real if start is None else start, real, time.monotonic(), factor)
        self._anchors = [self._anchor]
        self._lost_s = 0.0
        self._queue: list[ScheduledJob] = []
        self._lock = threading.Lock()
        self._counter = itertools.count()
        self._wake: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._stepping = asyncio.Lock()
        self._at_work = 0

    @property
    def factor(self) -> float:
        return self._anchor.factor

    @property
    def stepped(self) -> bool:
        return self._anchor.factor == 0

    def time(self) -> float:
        """Cloud time in epoch seconds."""
        return self._anchor.at(time.monotonic())

    def now(self) -> datetime:
        """Cloud time as an aware UTC datetime."""
        return datetime.fromtimestamp(self.time(), UTC)

    def at_real(self, epoch_s: float) -> float:
        """Cloud time that corresponds to a real epoch time, such as a timestamp a function took itself.

        A time before the last change of speed (or step) is translated by the speed of its own moment.
        """
        with self._lock:
            index = bisect.bisect_right(self._anchors, epoch_s, key=lambda anchor: anchor.real)
            anchor = self._anchors[max(0, index - 1)]
            until = self._anchors[index].cloud if 0 < index < len(self._anchors) else math.inf
        cloud = anchor.at(anchor.mono + epoch_s - anchor.real)
        return min(cloud, until)

    @contextlib.contextmanager
    def awaiting(self) -> Iterator[None]:
        """Limit cloud time to `HEAD_START_S` ahead of real time while the block runs: its work takes at most so
        much longer on this clock than on AWS. Without effect up to real speed; safe from any thread."""
        with self._lock:
            mono = time.monotonic()
            hold = Hold(self._anchor.at(mono) + HEAD_START_S - mono)
            self._set_holds((*self._anchor.holds, hold), mono)
        try:
            yield
        finally:
            with self._lock:
                rest = tuple(held for held in self._anchor.holds if held is not hold)
                self._set_holds(rest, time.monotonic())
            self._poke()

    def at_work_until(self, result: "Future[Any] | asyncio.Future[Any]") -> None:
        """Skip no cloud time until ``result`` is there: something happens meanwhile. Safe from any thread."""
        self._count_work(1)
        result.add_done_callback(lambda _result: self._count_work(-1))

    @contextlib.contextmanager
    def waiting_for(self, result: "Future[Any]") -> Iterator[None]:
        """A block of work that only waits for ``result``: until it is there cloud time may be skipped."""
        resumed = threading.Lock()

        def resume(_result: object = None) -> None:
            if resumed.acquire(blocking=False):
                self._count_work(1)

        self._count_work(-1)
        result.add_done_callback(resume)
        try:
            yield
        finally:
            resume()

    @property
    def held_s(self) -> float:
        """Real seconds that cloud time has lost to `awaiting`, up to now."""
        anchor, mono = self._anchor, time.monotonic()
        return self._lost_s + (_lost_s(anchor, mono) if anchor.holds else 0.0)

    def set_factor(self, factor: float) -> None:
        """Change the speed from now on; cloud time stays continuous."""
        _check(factor)
        with self._lock:
            self._set_anchor(self.time(), factor)
        self._poke()

    def call_at(self, due: float, job: Job, *, name: str) -> ScheduledJob:
        """Run ``job`` once when cloud time reaches ``due`` (epoch seconds). Safe from any thread."""
        return self._push(ScheduledJob(due, next(self._counter), job, name))

    def call_later(self, delay_s: float, job: Job, *, name: str) -> ScheduledJob:
        """Run ``job`` once after ``delay_s`` cloud seconds. Safe from any thread."""
        return self.call_at(self.time() + delay_s, job, name=name)

    def every(self, period_s: float, job: Job, *, name: str, first: float | None = None) -> ScheduledJob:
        """Run ``job`` at ``first`` (default: one period from now) and each ``period_s`` cloud seconds after.

        One run ends before the next begins: a job slower than its period falls behind, it does not pile up.
        """
        if period_s <= 0:
            raise ValueError(f"the period of job {name} is {period_s} s; it must be greater than 0")
        due = self.time() + period_s if first is None else first
        return self._push(ScheduledJob(due, next(self._counter), job, name, period_s))

    async def advance(self, seconds: float) -> None:
        """Step a standing clock: run each job that falls due within ``seconds``, in order, to completion.

        Jobs that these jobs register run too when they fall due within the step. A job must not call this.
        """
        if seconds < 0:
            raise ValueError(f"cannot advance by {seconds} s; cloud time never runs backwards")
        async with self._stepping:
            if not self.stepped:
                raise ValueError(f"the clock runs at factor {self.factor}; only one at factor 0 can be stepped")
            if self._running:
                await asyncio.wait(self._running)
            target = self.time() + seconds
            while (entry := self._pop_due(target)) is not None:
                self._step_to(entry.due)
                await self._run(entry)
            self._step_to(target)

    async def skip_to(self, target: float, *, patience_s: float) -> None:
        """Skip ahead to ``target`` (epoch seconds), from one due job to the next, each time when nothing is at
        work; time passes as usual meanwhile. Gives up after ``patience_s`` real seconds: work may go on for long.
        """
        if self.stepped:
            raise ValueError("the clock stands still (factor 0); only one that runs can skip ahead")
        if target > self.time() + LONGEST_SKIP_S:
            raise ValueError(f"cannot skip to {target:g}; the limit is {LONGEST_SKIP_S // 86400} days at once")
        until, pause_s = time.monotonic() + patience_s, _SHORTEST_POLL_S
        while self.time() < target and (left_s := until - time.monotonic()) > 0:
            if self._skip_to_next(target):
                self._start_due()
                self._poke()
                await asyncio.sleep(0)
                pause_s = _SHORTEST_POLL_S
            elif self._running:
                await asyncio.wait(self._running, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            else:
                # Most work ends at once; what takes longer is not asked for more often than need be.
                await asyncio.sleep(pause_s)
                pause_s = min(_IDLE_POLL_S, 2 * pause_s)

    def _skip_to_next(self, target: float) -> bool:
        """Skip to the next due job, or to ``target`` if that comes first; False while something is at work."""
        with self._lock:
            while self._queue and self._queue[0].cancelled:
                heapq.heappop(self._queue)
            now, due = self.time(), self._queue[0].due if self._queue else math.inf
            if due <= now or self._at_work or self._running:
                return False
            self._set_anchor(max(now, min(target, due)), self.factor)
            return True

    def _count_work(self, change: int) -> None:
        with self._lock:
            self._at_work += change

    async def run(self) -> None:
        """Run due jobs until cancelled. A slow job does not hold up the others."""
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        try:
            while True:
                self._wake.clear()
                self._start_due()
                # `wait_for` of Python 3.11 loses a cancellation that comes in the moment of waking.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._real_seconds_to_next()):
                        await self._wake.wait()
        finally:
            self._loop = None
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def _start_due(self) -> None:
        # While `advance` steps through the queue it alone runs jobs, so that it can await each of them.
        while not self._stepping.locked() and (entry := self._pop_due(self.time())) is not None:
            task = asyncio.create_task(self._run(entry), name=entry.name)
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _real_seconds_to_next(self) -> float | None:
        with self._lock:
            if self.stepped or not self._queue:
                return None
            anchor, mono = self._anchor, time.monotonic()
            cloud = anchor.at(mono)
            speed = anchor.factor if cloud == anchor.free(mono) else 1.0
            return max(0.0, (self._queue[0].due - cloud) / speed)

    async def _run(self, entry: ScheduledJob) -> None:
        try:
            await entry.job()
        except Exception:
            log.exception("job %s failed", entry.name)
        finally:
            if entry.period_s is not None and not entry.cancelled:
                entry.due += entry.period_s
                self._push(entry)

    def _pop_due(self, until: float) -> ScheduledJob | None:
        with self._lock:
            while self._queue and self._queue[0].due <= until:
                entry = heapq.heappop(self._queue)
                if not entry.cancelled:
                    return entry
        return None

    def _push(self, entry: ScheduledJob) -> ScheduledJob:
        with self._lock:
            heapq.heappush(self._queue, entry)
        self._poke()
        return entry

    def _poke(self) -> None:
        loop, wake = self._loop, self._wake
        if loop is not None and wake is not None and not loop.is_closed():
            loop.call_soon_threadsafe(wake.set)

    def _step_to(self, cloud_time: float) -> None:
        with self._lock:
            if self.stepped:
                self._set_anchor(max(cloud_time, self.time()), 0.0)

    def _set_holds(self, holds: tuple[Hold, ...], mono: float) -> None:
        """Replace the holds; cloud time continues from its present value under the previous ones."""
        anchor = self._anchor
        cloud = anchor.at(mono)
        if cloud == anchor.free(mono):
            self._anchor = self._anchors[-1] = anchor.under(holds)
        else:
            self._set_anchor(cloud, anchor.factor, holds)

    def _set_anchor(self, cloud_time: float, factor: float, holds: tuple[Hold, ...] | None = None) -> None:
        before, mono = self._anchor, time.monotonic()
        self._lost_s += _lost_s(before, mono)
        kept = before.holds if holds is None else holds
        self._anchor = Anchor(cloud_time, time.time(), mono, factor).under(kept)
        self._anchors.append(self._anchor)
        if len(self._anchors) > 2 * REMEMBERED_ANCHORS:
            del self._anchors[:-REMEMBERED_ANCHORS]


def _lost_s(anchor: Anchor, mono: float) -> float:
    """Real seconds that holds have cost since ``anchor``."""
    return (anchor.free(mono) - anchor.at(mono)) / anchor.factor if anchor.factor else 0.0


def _check(factor: float) -> None:
    if not 0 <= factor < float("inf"):
        raise ValueError(f"clock factor is {factor}; it must be 0 (stepped) or a positive number")
