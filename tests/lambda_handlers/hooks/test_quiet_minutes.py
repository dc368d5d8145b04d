"""Minutes with hardly any requests are merged, by counts alone."""

from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.quiet_minutes import merge_quiet


def minute(index: int, canary: int, stable: int, *, errors: int = 0, step: int = 0) -> Minute:
    return Minute(60.0 * index, VersionMinute(canary, errors), VersionMinute(stable), step)


def requests(minutes: list[Minute]) -> list[tuple[int, int, int]]:
    return [(one.canary.requests, one.stable.requests, end) for one, end in merge_quiet(minutes)]


def test_busy_minutes_stay_single() -> None:
    assert requests([minute(0, 2, 18), minute(1, 30, 200)]) == [(2, 18, 1), (30, 200, 2)]


def test_quiet_minutes_wait_for_each_other() -> None:
    assert requests([minute(0, 1, 9), minute(1, 0, 9), minute(2, 1, 9), minute(3, 2, 9)]) == [
        (2, 27, 3),
        (2, 9, 4),
    ]


def test_the_last_ones_may_still_wait() -> None:
    assert requests([minute(0, 5, 9), minute(1, 1, 9), minute(2, 0, 9)]) == [(5, 9, 1)]


def test_weights_that_change_end_the_wait() -> None:
    assert requests([minute(0, 1, 9), minute(1, 1, 4, step=1), minute(2, 1, 4, step=1)]) == [(1, 9, 1), (2, 8, 3)]


def test_how_requests_ended_does_not_matter() -> None:
    healthy = [minute(index, 1, 9) for index in range(9)]
    failing = [minute(index, 1, 9, errors=1) for index in range(9)]
    assert requests(healthy) == requests(failing)
    assert sum(one.canary.errors for one, _ in merge_quiet(failing)) == 8
