"""Pages of chosen origins may read answers, also errors; others may not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.lambda_handlers.inference.endpoint import Endpoint

EVENTS = Path(__file__).parents[2] / "events"
SHOP = "https://shop.example.com"


def ask(endpoint: Endpoint, name: str, origin: str | None) -> dict[str, Any]:
    event = json.loads((EVENTS / f"{name}.json").read_bytes())
    if origin is not None:
        event["headers"] = {**(event["headers"] or {}), "Origin": origin}
        event["multiValueHeaders"] = {**(event.get("multiValueHeaders") or {}), "Origin": [origin]}
    answer = endpoint(event, None)
    return {name: value for name, value in answer["headers"].items() if name.startswith(("access-", "vary"))}


@pytest.mark.parametrize("hot", ["0", "1"])
@pytest.mark.parametrize(
    "name", ["rest_predict", "http_predict", "rest_predict_invalid_rows", "rest_unknown_route"]
)
def test_a_listed_origin_is_named(
    churn: Path, open_endpoints: Callable[..., Endpoint], name: str, hot: str
) -> None:
    endpoint = open_endpoints(churn, SERINUS_CORS_ORIGINS=f"https://a.example, {SHOP}", SERINUS_HOT_ROUTE=hot)
    headers = ask(endpoint, name, SHOP)
    assert headers["access-control-allow-origin"] == SHOP
    assert headers["vary"] == "origin"
    assert "x-serinus-model-version" in headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_another_origin_is_not_named(
    churn: Path, open_endpoints: Callable[..., Endpoint], origin: str | None
) -> None:
    endpoint = open_endpoints(churn, SERINUS_CORS_ORIGINS=SHOP)
    assert ask(endpoint, "rest_predict", origin) == {"vary": "origin"}


def test_any_origin_may_be_let_in(churn: Path, open_endpoints: Callable[..., Endpoint]) -> None:
    headers = ask(open_endpoints(churn, SERINUS_CORS_ORIGINS="*"), "rest_predict", SHOP)
    assert headers["access-control-allow-origin"] == "*"
    assert "vary" not in headers


def test_without_origins_nothing_is_added(churn: Path, open_endpoints: Callable[..., Endpoint]) -> None:
    assert ask(open_endpoints(churn), "rest_predict", SHOP) == {}
