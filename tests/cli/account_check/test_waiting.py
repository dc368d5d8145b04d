"""Waiting: looks at a condition while time passes, and at watchers meanwhile."""

import pytest

from serinus.cli.account_check.waiting import Waiting
from serinus.cli.errors import CliError


class HandClock:
    """Time that passes only when it is waited for."""

    def __init__(self) -> None:
        self.time, self.worked = 1000.0, 0

    def now(self) -> float:
        return self.time

    def pass_time(self, seconds: float) -> None:
        self.time += seconds

    def work(self, seconds: float) -> None:
        self.worked += 1
        self.time += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def waiting(clock: HandClock) -> Waiting:
    return Waiting(clock, lambda _step: None)


def test_the_first_result_ends_the_wait(waiting: Waiting, clock: HandClock) -> None:
    assert waiting.until(lambda: "late" if clock.time >= 1010 else None, 60.0) == "late"
    assert 1010 <= clock.time < 1012


def test_zero_is_a_result_and_false_is_not(waiting: Waiting) -> None:
    assert waiting.until(lambda: 0.0, 60.0) == 0.0
    assert waiting.until(lambda: False, 60.0) is None


def test_the_wait_ends_at_its_timeout_and_not_a_look_later(waiting: Waiting, clock: HandClock) -> None:
    assert waiting.until(lambda: None, 20.0, every_s=60.0) is None
    assert clock.time == pytest.approx(1020.0)


def test_what_is_required_raises_at_the_timeout(waiting: Waiting) -> None:
    with pytest.raises(CliError, match="a stop did not happen within 2 minutes"):
        waiting.required(lambda: None, 120.0, what="a stop")


def test_long_waits_look_less_often(waiting: Waiting) -> None:
    looks: list[None] = []
    waiting.until(lambda: looks.append(None), 3600.0)
    assert len(looks) < 300


def test_watchers_look_until_they_are_done(waiting: Waiting, clock: HandClock) -> None:
    seen: list[float] = []

    def watch() -> bool:
        seen.append(clock.time)
        return len(seen) == 3

    waiting.watchers.append(watch)
    waiting.pass_time(100.0)
    assert len(seen) == 3
    assert waiting.watchers == []


def test_no_time_is_skipped_while_something_works(waiting: Waiting, clock: HandClock) -> None:
    waiting.until(lambda: None, 10.0, working=lambda: clock.time < 1005)
    assert 0 < clock.worked < 7
