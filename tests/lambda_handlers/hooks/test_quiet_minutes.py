"""Minutes with hardly any requests are merged, by the requests of both versions together."""

import numpy as np

from serinus.lambda_handlers.hooks.evidence import log_capital
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.quiet_minutes import merge_quiet


def minute(index: int, canary: int, stable: int, *, errors: int = 0, step: int = 0) -> Minute:
    return Minute(60.0 * index, VersionMinute(canary, errors), VersionMinute(stable), step, share=0.1)


def requests(minutes: list[Minute]) -> list[tuple[int, int, int]]:
    return [(one.canary.requests, one.stable.requests, end) for one, end in merge_quiet(minutes)]


def test_busy_minutes_stay_single() -> None:
    assert requests([minute(0, 2, 18), minute(1, 0, 200)]) == [(2, 18, 1), (0, 200, 2)]


def test_quiet_minutes_wait_for_each_other() -> None:
    assert requests([minute(0, 1, 9), minute(1, 0, 9), minute(2, 1, 9), minute(3, 2, 19)]) == [
        (2, 27, 3),
        (2, 19, 4),
    ]


def test_the_last_ones_may_still_wait() -> None:
    assert requests([minute(0, 5, 19), minute(1, 1, 9), minute(2, 0, 5)]) == [(5, 19, 1)]


def test_weights_that_change_end_the_wait() -> None:
    assert requests([minute(0, 1, 9), minute(1, 1, 9, step=1), minute(2, 1, 9, step=1)]) == [(1, 9, 1), (2, 18, 3)]


def test_neither_the_split_nor_the_end_of_requests_matters() -> None:
    together = [[0, 3, 9, 1, 7, 20, 4, 6, 2, 8, 11, 3][index % 12] for index in range(48)]
    ends = set()
    for split in range(4):
        minutes = [minute(i, min(total, split), total - min(total, split)) for i, total in enumerate(together)]
        ends.add(tuple(end for _, end in merge_quiet(minutes)))
    assert len(ends) == 1


def test_bursts_of_failures_at_a_quiet_endpoint_are_not_charged_to_the_canary() -> None:
    """Two requests a minute, and every ten minutes forty that fail: routing alone decides whose they are."""
    rng = np.random.default_rng(17)
    rolled_back = 0
    for _ in range(60):
        minutes = []
        for index in range(180):
            total, failing = int(rng.poisson(2)), 40 * (index % 10 == 9)
            canary, errors = int(rng.binomial(total, 0.1)), int(rng.binomial(failing, 0.1))
            minutes.append(
                Minute(
                    60.0 * index,
                    VersionMinute(canary + errors, errors),
                    VersionMinute(total - canary + failing - errors, failing - errors),
                    share=0.1,
                )
            )
        blocks = [one.block("errors") for one, _ in merge_quiet(minutes)]
        rolled_back += log_capital(blocks, 1.0).max() >= np.log(20)
    assert rolled_back / 60 <= 0.05
