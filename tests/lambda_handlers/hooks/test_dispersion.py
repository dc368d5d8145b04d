"""Counts that vary more than independent events are divided by how much more."""

import numpy as np
import pytest

from serinus.lambda_handlers.hooks.dispersion import overdispersion, thin
from serinus.lambda_handlers.hooks.evidence import Block


def clumps(size: int, minutes: int = 240) -> list[tuple[int, int]]:
    rng = np.random.default_rng(3)
    return [(200, size * int(rng.poisson(4 / size))) for _ in range(minutes)]


@pytest.mark.parametrize("size", [1, 4, 20])
def test_clumps_vary_as_many_times_more_as_they_are_large(size: int) -> None:
    assert overdispersion(clumps(size), 1) == pytest.approx(size, rel=0.25)


def test_one_outage_does_not_make_everything_usual() -> None:
    counts = clumps(1)
    counts[100:102] = [(200, 100)] * 2
    assert overdispersion(counts, 10) < 3


@pytest.mark.parametrize("counts", [[], [(0, 0)] * 40, [(200, 0)] * 40, [(200, 200)] * 40, [(200, 9)] * 29])
def test_what_shows_no_variation_is_not_corrected(counts: list[tuple[int, int]]) -> None:
    assert overdispersion(counts, 10) == 1.0


def test_thinning_keeps_shares_and_loses_nothing_to_rounding() -> None:
    blocks = [Block(20, 1, 80, 2)] * 90
    thinned = thin(blocks, 3.0)
    assert sum(block.canary for block in thinned) == pytest.approx(600, abs=2)
    assert sum(block.canary_events for block in thinned) == 30
    assert sum(block.stable_events for block in thinned) == 60
    assert thin(blocks, 1.0) == blocks
