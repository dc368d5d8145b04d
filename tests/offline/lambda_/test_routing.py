"""The alias' dice: shares by weight, repeatable by seed."""

import random

import pytest

from serinus.offline.services.lambda_.routing import pick_version
from serinus.offline.services.lambda_.state import Alias


@pytest.mark.parametrize("weight", [0.0, 0.01, 0.1, 0.5, 1.0])
def test_shares_are_within_three_standard_errors(weight):
    alias, dice, runs = Alias("live", "1", "r", additional={"2": weight}), random.Random(7), 20_000
    share = sum(pick_version(alias, dice) == "2" for _ in range(runs)) / runs
    assert abs(share - weight) <= 3 * (weight * (1 - weight) / runs) ** 0.5


def test_the_same_seed_makes_the_same_choices():
    alias = Alias("live", "1", "r", additional={"2": 0.5})
    first, second = (
        [pick_version(alias, dice) for _ in range(50)] for dice in (random.Random(3), random.Random(3))
    )
    assert first == second
