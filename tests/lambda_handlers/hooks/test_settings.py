"""A hook's environment: defaults that suit, and errors that name the variable."""

import pytest

from serinus.lambda_handlers.contract.release import Inconclusive, Strategy
from serinus.lambda_handlers.hooks.errors import BadSetting
from serinus.lambda_handlers.hooks.settings import read_settings

LEAST = {"SERINUS_FUNCTION": "shop-dev-churn", "SERINUS_ALIAS": "live"}


def test_function_and_alias_suffice():
    found = read_settings(LEAST)
    assert (found.strategy, found.inconclusive) == (Strategy.CANARY, Inconclusive.PROMOTE)
    assert (found.bake_minutes, found.minimum_requests, found.allow_breaking) == (15, 5, False)
    assert (found.share, found.interval_minutes) == (0.1, 2)


def test_what_is_set_is_taken():
    found = read_settings(
        LEAST
        | {"SERINUS_STRATEGY": "blue_green", "SERINUS_INCONCLUSIVE": "roll_back", "SERINUS_BAKE_MINUTES": "90"}
        | {"SERINUS_ALLOW_BREAKING": "1", "SERINUS_MAX_ROWS": "5", "SERINUS_SETTLE_S": "0"}
    )
    assert (found.strategy, found.inconclusive) == (Strategy.BLUE_GREEN, Inconclusive.ROLL_BACK)
    assert (found.bake_minutes, found.allow_breaking) == (90, True)
    assert (found.rows_per_request, found.settle_s) == (5, 0)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SERINUS_FUNCTION", "", "SERINUS_FUNCTION is missing"),
        ("SERINUS_STRATEGY", "bold", "'bold'; it must be one of canary, linear, blue_green, all_at_once"),
        ("SERINUS_BAKE_MINUTES", "ten", "SERINUS_BAKE_MINUTES is 'ten'; it must be a number"),
        ("SERINUS_SLOW_MS", "-1", "SERINUS_SLOW_MS is '-1'; it must be 0 or more"),
        ("SERINUS_SLOW_MS", "nan", "it must be 0 or more"),
    ],
)
def test_what_cannot_be_read_is_named(name, value, words):
    with pytest.raises(BadSetting) as error:
        read_settings(LEAST | {name: value})
    assert words in str(error.value)
