"""What a check says before it begins."""

import pytest

from serinus.cli.account_check.command import plan
from serinus.cli.account_check.cost import LIMIT_DOLLARS, cost_items, highest_cost_dollars
from serinus.cli.account_check.session import Caller
from serinus.cli.target import CloudTarget
from serinus.infra import prices


def test_a_check_costs_less_than_its_limit() -> None:
    assert 0 < highest_cost_dollars() < LIMIT_DOLLARS


def test_the_cost_follows_the_list_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {item.what: item.dollars for item in cost_items()}
    monkeypatch.setattr(prices, "PER_CUSTOM_METRIC", 2 * prices.PER_CUSTOM_METRIC)
    after = {item.what: item.dollars for item in cost_items()}
    assert after["custom metrics"] == pytest.approx(2 * before["custom metrics"])
    assert after["logs"] == before["logs"]


def test_the_plan_names_account_region_caller_and_the_highest_cost() -> None:
    caller = Caller("123456789012", "eu-west-1", "arn:aws:iam::123456789012:user/ada")
    shown = plan(CloudTarget(None, "eu-west-1"), caller)
    for part in ("account 123456789012 in eu-west-1", "user/ada", f"${highest_cost_dollars():.2f} at most"):
        assert part in shown
