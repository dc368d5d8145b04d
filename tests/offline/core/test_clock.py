"""Cloud time: its speeds, its steps and its jobs."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from serinus.offline.client.own_api import OwnApi
from serinus.offline.cloud.stepped import stepped
from serinus.offline.core.clock import HEAD_START_S, Clock

pytestmark = pytest.mark.anyio

START = 1_800_000_000.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def noting(notes: list[str], note: str) -> Callable[[], Awaitable[None]]:
    async def job() -> None:
        notes.append(note)

    return job


def test_a_stepped_clock_stands_still() -> None:
    clock = Clock(0, START)
    assert clock.time() == clock.time() == START
    assert clock.now().isoformat() == "2027-01-15T08:00:00+00:00"


def test_a_fast_clock_runs_by_its_factor() -> None:
    earliest = time.monotonic()
    clock = Clock(1000, START)
    latest = time.monotonic()
    time.sleep(0.01)
    low, cloud, high = time.monotonic() - latest, clock.time() - START, time.monotonic() - earliest
    assert low * 1000 <= cloud + 1e-3
    assert cloud <= high * 1000 + 1e-3


def test_cloud_time_is_continuous_when_the_speed_changes() -> None:
    clock = Clock(0, START)
    clock.set_factor(10_000)
    time.sleep(0.01)
    clock.set_factor(0)
    frozen = clock.time()
    assert frozen > START + 50
    clock.set_factor(1)
    assert frozen <= clock.time() < frozen + 5


def test_cloud_time_waits_for_what_is_awaited() -> None:
    clock = Clock(100_000, START)
    with clock.awaiting():
        began, real = clock.time(), time.monotonic()
        time.sleep(0.02)
        during, took_s = clock.time(), time.monotonic() - real
        assert during - began <= HEAD_START_S + took_s + 0.001
    after = clock.time()
    assert after >= during
    time.sleep(0.02)
    assert clock.time() > after + 1_000
    assert clock.held_s > 0.015


def test_cloud_time_waits_for_the_earliest_of_all_that_is_awaited() -> None:
    clock = Clock(100_000, START)
    with clock.awaiting():
        began = clock.time()
        with clock.awaiting():
            time.sleep(0.01)
        between = clock.time()
        time.sleep(0.01)
        assert began < between <= clock.time() < began + 2 * HEAD_START_S


def test_a_real_time_within_a_wait_is_translated_as_it_passed() -> None:
    clock = Clock(100_000, START)
    with clock.awaiting():
        time.sleep(0.01)
        real, cloud = time.time(), clock.time()
        assert clock.at_real(real) == pytest.approx(cloud, abs=0.1)
        time.sleep(0.01)
    time.sleep(0.01)
    assert clock.at_real(real) == pytest.approx(cloud, abs=0.1)


@pytest.mark.parametrize("factor", [0, 1])
def test_a_clock_that_is_no_faster_than_real_time_waits_for_nothing(factor: float) -> None:
    clock = Clock(factor, START)
    with clock.awaiting():
        clock.set_factor(factor)
    assert clock.held_s == 0


async def test_jobs_run_when_they_are_due_after_a_wait() -> None:
    clock, notes = Clock(100_000, START), list[str]()
    done = asyncio.Event()

    async def note() -> None:
        notes.append("due")
        done.set()

    running = asyncio.create_task(clock.run())
    with clock.awaiting():
        clock.call_later(10 * HEAD_START_S, note, name="later")
        await asyncio.sleep(0.05)
        assert notes == []
    await asyncio.wait_for(done.wait(), 30)
    running.cancel()


@pytest.mark.parametrize("factor", [-1, float("inf"), float("nan")])
def test_a_speed_that_makes_no_sense_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="clock factor"):
        Clock(factor)
    with pytest.raises(ValueError, match="clock factor"):
        Clock().set_factor(factor)


async def test_step_runs_what_falls_due_in_order() -> None:
    clock, notes = Clock(0, START), list[str]()
    clock.call_later(20, noting(notes, "second"), name="b")
    clock.call_later(10, noting(notes, "first"), name="a")
    clock.call_later(20, noting(notes, "third"), name="c")
    clock.call_later(21, noting(notes, "not yet"), name="d")
    await clock.advance(20)
    assert notes == ["first", "second", "third"]
    assert clock.time() == START + 20


async def test_a_job_sees_the_time_at_which_it_was_due() -> None:
    clock, seen = Clock(0, START), list[float]()

    async def look() -> None:
        seen.append(clock.time() - START)

    clock.every(25, look, name="look")
    await clock.advance(100)
    assert seen == [25, 50, 75, 100]


async def test_jobs_that_register_jobs_run_within_the_step() -> None:
    clock, seen = Clock(0, START), list[float]()

    async def chain() -> None:
        seen.append(clock.time() - START)
        if len(seen) < 5:
            clock.call_later(10, chain, name="chain")

    clock.call_later(0, chain, name="chain")
    await clock.advance(30)
    assert seen == [0, 10, 20, 30]
    await clock.advance(10)
    assert seen == [0, 10, 20, 30, 40]


async def test_a_step_waits_for_jobs_that_take_real_time() -> None:
    clock, notes = Clock(0, START), list[str]()

    async def slow() -> None:
        await asyncio.sleep(0.05)
        notes.append("done")

    clock.call_later(1, slow, name="slow")
    await clock.advance(1)
    assert notes == ["done"]


async def test_a_cancelled_job_does_not_run() -> None:
    clock, notes = Clock(0, START), list[str]()
    clock.call_later(1, noting(notes, "once"), name="once").cancel()
    repeated = clock.every(1, noting(notes, "again"), name="again")
    await clock.advance(2)
    repeated.cancel()
    await clock.advance(5)
    assert notes == ["again", "again"]


async def test_a_job_that_cancels_itself_ends() -> None:
    clock, count = Clock(0, START), list[int]()

    async def once() -> None:
        count.append(1)
        entry.cancel()

    entry = clock.every(1, once, name="once")
    await clock.advance(5)
    assert len(count) == 1


async def test_a_failing_job_is_logged_and_holds_nothing_up(caplog: pytest.LogCaptureFixture) -> None:
    clock, notes = Clock(0, START), list[str]()

    async def fail() -> None:
        raise RuntimeError("broken job")

    clock.call_later(1, fail, name="the broken one")
    clock.call_later(2, noting(notes, "next"), name="next")
    await clock.advance(2)
    assert notes == ["next"]
    assert "the broken one" in caplog.text


async def test_only_a_standing_clock_can_be_stepped_and_never_back() -> None:
    with pytest.raises(ValueError, match="factor 1"):
        await Clock(1).advance(1)
    with pytest.raises(ValueError, match="never runs backwards"):
        await Clock(0).advance(-1)


async def test_two_steps_at_once_follow_each_other() -> None:
    clock, seen = Clock(0, START), list[float]()

    async def look() -> None:
        await asyncio.sleep(0)
        seen.append(clock.time() - START)

    clock.every(10, look, name="look")
    await asyncio.gather(clock.advance(30), clock.advance(30))
    assert seen == [10, 20, 30, 40, 50, 60]


async def test_a_running_clock_starts_jobs_by_itself_and_side_by_side() -> None:
    clock, notes, blocked = Clock(1000, START), list[str](), asyncio.Event()
    ticker = asyncio.create_task(clock.run())

    async def slow() -> None:
        await blocked.wait()
        notes.append("slow")

    async def quick() -> None:
        notes.append("quick")
        blocked.set()

    clock.call_later(1, slow, name="slow")
    clock.call_later(2, quick, name="quick")
    async with asyncio.timeout(5):
        while len(notes) < 2:
            await asyncio.sleep(0.001)
    assert notes == ["quick", "slow"]
    ticker.cancel()


async def test_a_repeated_job_never_overlaps_itself() -> None:
    clock, running, most = Clock(10_000, START), list[int](), list[int]()
    ticker = asyncio.create_task(clock.run())

    async def slow() -> None:
        running.append(1)
        most.append(len(running))
        await asyncio.sleep(0.005)
        running.pop()

    clock.every(1, slow, name="slow")
    async with asyncio.timeout(5):
        while len(most) < 5:
            await asyncio.sleep(0.001)
    assert max(most) == 1
    ticker.cancel()


async def test_a_job_that_is_due_now_runs_on_a_standing_clock_too() -> None:
    clock, ran = Clock(0, START), asyncio.Event()
    ticker = asyncio.create_task(clock.run())

    async def job() -> None:
        ran.set()

    clock.call_later(0, job, name="now")
    await asyncio.wait_for(ran.wait(), 5)
    ticker.cancel()


async def test_a_clock_that_is_set_going_runs_what_waited() -> None:
    clock, ran = Clock(0, START), asyncio.Event()
    ticker = asyncio.create_task(clock.run())

    async def job() -> None:
        ran.set()

    clock.call_later(100, job, name="waiting")
    await asyncio.sleep(0)
    assert not ran.is_set()
    clock.set_factor(100_000)
    await asyncio.wait_for(ran.wait(), 5)
    ticker.cancel()


@pytest.mark.parametrize("turns", range(6))
async def test_a_clock_that_is_just_being_woken_ends_when_told_to(turns: int) -> None:
    clock = Clock(1, START)
    clock.call_later(1000, noting([], "later"), name="what it waits for")
    ticker = asyncio.create_task(clock.run())
    await asyncio.sleep(0.01)
    clock.call_later(2000, noting([], "later"), name="what wakes it")
    for _ in range(turns):
        await asyncio.sleep(0)
    ticker.cancel()
    ended, _ = await asyncio.wait({ticker}, timeout=5)
    assert ended


async def test_jobs_may_be_registered_from_any_thread() -> None:
    clock, notes = Clock(0, START), list[str]()

    def register() -> None:
        for place in range(200):
            clock.call_later(place % 7, noting(notes, "job"), name="job")

    threads = [threading.Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        await clock.advance(0)
    await clock.advance(10)
    assert len(notes) == 1600


def test_real_timestamps_become_cloud_time_by_the_speed_of_their_moment() -> None:
    clock = Clock(100, START)
    before = time.time()
    early = clock.at_real(before)
    time.sleep(0.02)
    clock.set_factor(0)
    time.sleep(0.02)
    assert clock.at_real(before) == early
    assert clock.at_real(time.time()) == clock.time()


async def test_real_timestamps_between_steps_belong_to_the_step_before() -> None:
    clock = Clock(0, START)
    await clock.advance(60)
    between = time.time()
    time.sleep(0.002)
    await clock.advance(60)
    assert clock.at_real(between) == START + 60
    assert clock.at_real(time.time()) == START + 120


@pytest.fixture(scope="module")
def own_api() -> Iterator[OwnApi]:
    with stepped() as cloud:
        yield cloud.cloud.own_api()


def test_the_clock_can_be_read_and_moved_over_http(own_api: OwnApi) -> None:
    shown = own_api.get("/clock").json()
    assert (shown["factor"], shown["stepped"]) == (0, True)
    moved = own_api.post("/clock", {"advance": 3600}).json()
    assert moved["epoch_s"] == pytest.approx(shown["epoch_s"] + 3600)
    assert own_api.post("/clock", {"factor": 60}).json()["factor"] == 60
    assert own_api.post("/clock", {"advance": 1}).status_code == 400
    assert own_api.post("/clock", {"skip_to": 1e18}).status_code == 400
    assert own_api.post("/clock", {"factor": 1}).json()["factor"] == 1
    target = own_api.get("/clock").json()["epoch_s"] + 3600
    assert own_api.post("/clock", {"skip_to": target}).json()["epoch_s"] >= target
    assert own_api.post("/clock", {"factor": 0}).json()["stepped"] is True
    assert own_api.post("/clock", {"skip_to": target + 3600}).status_code == 400


@pytest.mark.parametrize(
    "body", [{}, {"advance": -5}, {"factor": "fast"}, {"jump": 1}, {"factor": 1, "advance": 1}]
)
def test_an_order_that_the_clock_does_not_understand_is_refused(own_api: OwnApi, body: dict[str, object]) -> None:
    answer = own_api.post("/clock", body)
    assert answer.status_code == 400
    assert 'send {"factor"' in answer.json()["message"]
