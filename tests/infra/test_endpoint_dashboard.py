"""The dashboard answers its four questions, and asks only for metrics that somebody publishes."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from serinus.infra import prices
from serinus.infra.constructs.endpoint_metrics import http_api_metrics, rest_api_metrics
from serinus.lambda_handlers.contract import release, signals

Templates = Callable[..., dict[str, Any]]
Find = Callable[[dict[str, Any], str], dict[str, dict[str, Any]]]

#: Dimensions under which each namespace's metrics are published, and the metrics asked for there.
PUBLISHED = {
    ("Serinus", frozenset({"FunctionName", "FunctionVersion"})): {
        signals.METRIC_LATENCY,
        signals.METRIC_ERRORS,
        signals.METRIC_NON_FINITE,
        signals.METRIC_INIT,
        signals.METRIC_ROWS,
        signals.METRIC_MODEL_TIME,
        release.METRIC_VERDICT,
    },
    ("Serinus", frozenset({"FunctionName", "FunctionVersion", "Outcome"})): {signals.METRIC_REJECTED},
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    ("AWS/Lambda", frozenset({"FunctionName"})): {
        "Invocations",
        "Errors",
        "Throttles",
        "Duration",
        "ConcurrentExecutions",
    },
    ("AWS/Lambda", frozenset({"ExecutedVersion", "FunctionName", "Resource"})): {"Errors"},
    ("AWS/ApiGateway", frozenset({"ApiName", "Stage"})): {"Count", "4XXError", "5XXError"},
}
SEARCHED = re.compile(
    r"SEARCH\('\{(?P<schema>[^}]+)\} MetricName=\"(?P<metric>\w+)\" FunctionName=\"(?P<function>[\w-]+)\"'"
)


def body_of(template: dict[str, Any], resources_of: Find) -> dict[str, Any]:
    (dashboard,) = resources_of(template, "AWS::CloudWatch::Dashboard").values()
    joined = dashboard["Properties"]["DashboardBody"]
    parts = joined["Fn::Join"][1] if isinstance(joined, dict) else [joined]
    body: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "resolved" for part in parts))
    return body


def asked(body: dict[str, Any]) -> Iterator[tuple[str, frozenset[str], str, dict[str, str]]]:
    """Namespace, names of dimensions, metric, and dimensions with their values of all that is asked for."""
    for widget in body["widgets"]:
        for entry in widget["properties"].get("metrics", ()):
            if isinstance(entry[0], dict):
                for found in SEARCHED.finditer(entry[0]["expression"]):
                    namespace, *names = found["schema"].split(",")
                    yield namespace, frozenset(names), found["metric"], {"FunctionName": found["function"]}
            else:
                namespace, metric, *rest = [part for part in entry if not isinstance(part, dict)]
                dimensions = dict(zip(rest[::2], rest[1::2], strict=True))
                yield namespace, frozenset(dimensions), metric, dimensions


@pytest.fixture(scope="module")
def body(template_of: Templates, resources_of: Find) -> dict[str, Any]:
    return body_of(template_of(), resources_of)


def test_only_what_is_published_under_its_dimensions_is_asked_for(body: dict[str, Any]) -> None:
    found: dict[tuple[str, frozenset[str]], set[str]] = {}
    for namespace, names, metric, dimensions in asked(body):
        found.setdefault((namespace, names), set()).add(metric)
        assert set(dimensions.values()) <= {"shop-dev-churn", "live"}
    assert found == PUBLISHED


def test_it_answers_its_questions_in_order(body: dict[str, Any]) -> None:
    titles = [
        widget["properties"]["markdown"].splitlines()[0] for widget in body["widgets"] if widget["type"] == "text"
    ]
    assert titles == ["## Is it up?", "## Is it fast?", "## Is it right?", "## What does it cost?", "## Releases"]


def test_widgets_lie_within_the_grid_and_on_no_other(body: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in body["widgets"]:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert widget["x"] + widget["width"] <= 24
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize("memory_mb", [1024, 2048])
def test_the_estimate_is_memory_times_duration_and_requests(
    template_of: Templates, resources_of: Find, memory_mb: int
) -> None:
    template = template_of(f"memory_mb = {memory_mb}\n")
    (hour,) = [
        entry[0]["expression"]
        for widget in body_of(template, resources_of)["widgets"]
        for entry in widget["properties"].get("metrics", ())
        if isinstance(entry[0], dict) and entry[0].get("label") == "the last hour, $"
    ]
    # An hour of 10,000 requests of 20 ms: what the expression gives is what the price list gives.
    arithmetic = re.sub(r"FILL\((\w+), 0\)", r"\1", hour)
    given = eval(arithmetic, {"duration": 10_000 * 20.0, "invoked": 10_000.0, "calls": 10_000.0})
    expected = (
        10_000 * 0.020 * memory_mb / 1024 * prices.PER_GB_SECOND["x86_64"]
        + 10_000 * prices.PER_MILLION_INVOCATIONS / 1e6
        + 10_000 * prices.PER_MILLION_CALLS["rest"] / 1e6
    )
    assert given == pytest.approx(expected, rel=1e-4)


def test_the_alarms_of_the_release_are_all_on_it(
    body: dict[str, Any], template_of: Templates, resources_of: Find
) -> None:
    (status,) = [widget for widget in body["widgets"] if widget["type"] == "alarm"]
    assert len(status["properties"]["alarms"]) == len(resources_of(template_of(), "AWS::CloudWatch::Alarm"))


def test_a_stack_has_one_dashboard_or_none(template_of: Templates, resources_of: Find) -> None:
    without = template_of("[endpoint.churn.rollout]\ndashboard = false\n")
    assert resources_of(without, "AWS::CloudWatch::Dashboard") == {}


def test_both_kinds_of_api_are_asked_by_their_own_names() -> None:
    rest, http = rest_api_metrics("shop", "live"), http_api_metrics("a1b2", "$default")
    assert (rest.dimensions, rest.server_errors) == ({"ApiName": "shop", "Stage": "live"}, "5XXError")
    assert (http.dimensions, http.server_errors) == ({"ApiId": "a1b2", "Stage": "$default"}, "5xx")
