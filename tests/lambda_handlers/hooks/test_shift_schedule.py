"""Which minutes of a shift are compared."""

import math

import pytest

from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.shift_schedule import ShiftSchedule

BEGAN = 600.0


def minute(start: float, canary: int = 300, stable: int = 2700) -> Minute:
    return Minute(start, VersionMinute(requests=canary), VersionMinute(requests=stable))


def fair(schedule: ShiftSchedule, minutes: dict[float, int]) -> list[int | None]:
    return [schedule.fair_step(minute(start, canary, 3000 - canary)) for start, canary in minutes.items()]


@pytest.mark.parametrize("began", [BEGAN + 1, BEGAN + 30, BEGAN + 59.9])
def test_the_minute_in_which_the_shift_begins_is_left_out(began: float) -> None:
    schedule = ShiftSchedule(began, 0.1, math.inf)
    assert fair(schedule, {600.0: 150, 660.0: 300, 6000.0: 300}) == [None, 0, 0]


def test_a_shift_that_begins_with_a_minute_loses_none() -> None:
    assert ShiftSchedule(BEGAN, 0.1, math.inf).fair_step(minute(BEGAN)) == 0


def test_the_minute_of_each_step_is_left_out() -> None:
    """Steps at 630, 750 and 870."""
    schedule = ShiftSchedule(630.0, 0.1, 120.0)
    steps = fair(schedule, {600.0: 300, 660.0: 300, 720.0: 450, 780.0: 600, 840.0: 750, 900.0: 900})
    assert steps == [None, 0, None, 1, None, 2]


def test_steps_of_one_minute_leave_nothing() -> None:
    assert {ShiftSchedule(630.0, 0.1, 60.0).fair_step(minute(60.0 * n, 300 * (n - 9))) for n in range(9, 19)} == {
        None
    }


def test_a_step_that_is_late_is_seen_by_the_split() -> None:
    """The step due at 750 came at 810: until then one in ten goes to the canary, and then one in five."""
    schedule = ShiftSchedule(630.0, 0.1, 240.0)
    steps = fair(schedule, {660.0: 300, 840.0: 450, 900.0: 450, 960.0: 600, 1020.0: 600})
    assert steps == [0, None, None, 1, 1]


def test_a_split_that_is_off_for_long_is_not_a_late_step() -> None:
    """Lambda may throttle one version; the judge must not be blind to it."""
    schedule = ShiftSchedule(630.0, 0.1, math.inf)
    assert fair(schedule, {660.0: 100, 780.0: 100, 840.0: 100}) == [None, None, 0]


def test_quiet_minutes_are_not_held_to_their_split() -> None:
    schedule = ShiftSchedule(630.0, 0.1, math.inf)
    assert [schedule.fair_step(minute(660.0, canary, 9)) for canary in (0, 1, 3)] == [0, 0, 0]
