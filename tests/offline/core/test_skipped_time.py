"""Cloud time is skipped from one event to the next, and never while something is at work."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future

import pytest

from serinus.offline.core.clock import Clock

pytestmark = pytest.mark.anyio

START = 1_800_000_000.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextlib.asynccontextmanager
async def running(clock: Clock) -> AsyncIterator[None]:
    task = asyncio.create_task(clock.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_time_in_which_nothing_happens_is_skipped_from_one_due_job_to_the_next() -> None:
    clock, notes = Clock(start=START), list[tuple[str, float]]()

    def note(name: str, then: float | None = None) -> Callable[[], Awaitable[None]]:
        async def job() -> None:
            notes.append((name, clock.time()))
            if then is not None:
                clock.call_later(then, note(f"after {name}"), name=name)

        return job

    clock.call_at(START + 3600, note("hour", then=60), name="hour")
    clock.call_at(START + 600, note("ten"), name="ten")
    clock.call_at(START + 60, note("cancelled"), name="cancelled").cancel()
    clock.call_at(START + 9000, note("later"), name="later")
    async with running(clock):
        await clock.skip_to(START + 7200, patience_s=60)
    assert [name for name, _ in notes] == ["ten", "hour", "after hour"]
    assert [at - START for _, at in notes] == pytest.approx([600, 3600, 3660], abs=30)
    assert 7200 <= clock.time() - START < 7260


async def test_no_time_is_skipped_while_something_is_at_work() -> None:
    clock, seen = Clock(start=START), list[float]()

    async def work() -> None:
        await asyncio.sleep(0.2)
        seen.append(clock.time())

    async with running(clock):
        at_work = asyncio.create_task(work())
        clock.at_work_until(at_work)
        await clock.skip_to(START + 3600, patience_s=60)
        await at_work
        assert seen[0] < START + 60
        assert clock.time() >= START + 3600
        clock.at_work_until(Future())
        await clock.skip_to(START + 7200, patience_s=0.05)
        assert clock.time() < START + 3700


async def test_time_is_skipped_while_work_only_waits_and_not_once_its_result_is_there() -> None:
    clock, result, whole = Clock(start=START), Future[None](), Future[None]()

    async def finish() -> None:
        result.set_result(None)

    clock.call_at(START + 1800, finish, name="finish")
    async with running(clock):
        clock.at_work_until(whole)
        with clock.waiting_for(result):
            await clock.skip_to(START + 3600, patience_s=0.3)
            assert START + 1800 <= clock.time() < START + 1900
        with clock.waiting_for(result):
            await clock.skip_to(START + 3600, patience_s=0.05)
            assert clock.time() < START + 1900
        whole.set_result(None)
        await clock.skip_to(START + 3600, patience_s=60)
        assert clock.time() >= START + 3600


async def test_a_skip_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="stands still"):
        await Clock(0, START).skip_to(START + 1, patience_s=1)
    with pytest.raises(ValueError, match="366 days"):
        await Clock(1, START).skip_to(START * 1000, patience_s=1)
    clock = Clock(1, START)
    await clock.skip_to(START - 60, patience_s=1)
    assert clock.time() >= START
