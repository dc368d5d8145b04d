"""The dashboard answers its questions of each endpoint, asks only for metrics that somebody publishes, and stays
within CloudWatch's limits however many endpoints there are."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from serinus.infra import prices
from serinus.infra.constructs.environment_dashboard import MOST_LINES, MOST_SECTIONS
from serinus.lambda_handlers.contract import release, signals
from serinus.lambda_handlers.contract.findings import METRIC_FINDINGS

Boards = Callable[..., dict[str, Any]]

BASE = '[project]\nname = "shop"\n[operations]\ndashboard = true\n[env.prod]\naccount = "123456789012"\n'
BASE += 'region = "eu-central-1"\n'
ONE = "[endpoint.churn]\n"
HTTP = '[endpoint.churn]\nfront = "http"\nauth = "iam"\n'
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
    ("Serinus", frozenset({"FunctionName"})): {METRIC_FINDINGS},
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    ("AWS/Lambda", frozenset({"FunctionName"})): {
        "Invocations",
        "Errors",
        "Throttles",
        "Duration",
        "ConcurrentExecutions",
    },
    ("AWS/Lambda", frozenset({"ExecutedVersion", "FunctionName", "Resource"})): {"Errors"},
}
API = {("AWS/ApiGateway", frozenset({"ApiName", "Stage"})): {"Count", "4XXError", "5XXError"}}
ALIAS = {("AWS/Lambda", frozenset({"FunctionName", "Resource"})): {"Invocations", "Errors", "Throttles"}}
SEARCHED = re.compile(
    r"SEARCH\('\{(?P<schema>[^}]+)\} MetricName=\"(?P<metric>\w+)\" FunctionName=\"(?P<function>[\w-]+)\"'"
)
#: Metrics that a search is taken to find: as many versions have data in a few hours.
FOUND_BY_SEARCH = 5


@pytest.fixture(scope="module")
def board(shared_template: Boards) -> Boards:
    """The body of environment prod's dashboard with these endpoints."""

    @cache
    def create(endpoints: str = ONE) -> dict[str, Any]:
        resources = shared_template(BASE + endpoints)["Resources"].values()
        (found,) = [one for one in resources if one["Type"] == "AWS::CloudWatch::Dashboard"]
        assert found["Properties"]["DashboardName"] == "shop-prod-shared"
        joined = found["Properties"]["DashboardBody"]
        parts = joined["Fn::Join"][1] if isinstance(joined, dict) else [joined]
        body: dict[str, Any] = json.loads("".join(one if isinstance(one, str) else "resolved" for one in parts))
        return body

    return create


def named(*names: str) -> str:
    return "".join(f"[endpoint.{name}]\n" for name in names)


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


@pytest.mark.parametrize(("endpoint", "own"), [(ONE, API), (HTTP, ALIAS)], ids=["rest", "http"])
def test_only_what_is_published_under_its_dimensions_is_asked_for(
    board: Boards, endpoint: str, own: dict[Any, Any]
) -> None:
    found: dict[tuple[str, frozenset[str]], set[str]] = {}
    for namespace, names, metric, dimensions in asked(board(endpoint)):
        found.setdefault((namespace, names), set()).add(metric)
        assert set(dimensions.values()) <= {"shop-prod-churn", "shop-prod-churn:live", "live"}
    assert found == PUBLISHED | own


def titles(body: dict[str, Any]) -> list[str]:
    return [
        widget["properties"]["markdown"].splitlines()[0] for widget in body["widgets"] if widget["type"] == "text"
    ]


def test_all_endpoints_come_first_then_each_with_its_questions_in_order(board: Boards) -> None:
    questions = ["## Is it up?", "## Is it fast?", "## Is it right?", "## What does it cost?", "## Releases"]
    assert titles(board(named("churn", "fraud"))) == [
        "## All endpoints", "# churn", *questions, "# fraud", *questions
    ]  # fmt: skip


def test_widgets_lie_within_the_grid_and_on_no_other(board: Boards) -> None:
    taken: set[tuple[int, int]] = set()
    for widget in board(named("churn", "fraud"))["widgets"]:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert widget["x"] + widget["width"] <= 24
        assert not cells & taken
        taken |= cells


@pytest.mark.parametrize("memory_mb", [1024, 2048])
def test_the_estimate_is_memory_times_duration_and_requests(board: Boards, memory_mb: int) -> None:
    (hour,) = [
        entry[0]["expression"]
        for widget in board(f"{ONE}memory_mb = {memory_mb}\n")["widgets"]
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


def alarms(body: dict[str, Any]) -> list[str]:
    return [
        arn for widget in body["widgets"] if widget["type"] == "alarm" for arn in widget["properties"]["alarms"]
    ]


def test_the_alarms_on_what_serves_are_all_on_it(board: Boards) -> None:
    names = [
        f"shop-prod-{name}-{alarm}" for name in ("churn", "fraud") for alarm in ("failing", "release-functions")
    ]
    names += ["shop-prod-churn-drift", "shop-prod-fraud-drift", "shop-prod-shared-monitor"]
    names += ["shop-prod-shared-collector"]
    prefix = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:"

    assert [arn.replace("resolved", "aws") for arn in alarms(board(named("churn", "fraud")))] == [
        f"{prefix}{name}" for name in names
    ]
    none = '[endpoint.churn.alarms]\ncoverage = "basic"\n[endpoint.churn.monitor]\nenabled = false\n'
    assert alarms(board(ONE + none)) == []


def metrics_in(widget: dict[str, Any]) -> int:
    entries = widget["properties"].get("metrics", ())
    searches = [len(SEARCHED.findall(entry[0]["expression"])) for entry in entries if isinstance(entry[0], dict)]
    return sum(isinstance(entry[0], str) for entry in entries) + FOUND_BY_SEARCH * sum(searches)


@pytest.mark.parametrize("table", ["", 'front = "http"\nauth = "iam"\n'], ids=["rest", "http"])
def test_a_project_of_sixty_endpoints_stays_within_cloudwatchs_limits_and_says_what_is_not_shown(
    board: Boards, table: str
) -> None:
    names = [f"model{number:02}" for number in range(60)]
    body = board("".join(f"[endpoint.{name}]\n{table}" for name in names))
    per_widget = [metrics_in(widget) for widget in body["widgets"]]
    (heading,) = [
        widget["properties"]["markdown"]
        for widget in body["widgets"]
        if widget["type"] == "text" and "All endpoints" in widget["properties"]["markdown"]
    ]

    assert len(body["widgets"]) <= 500
    assert max(per_widget) <= 500
    assert sum(per_widget) <= 2500
    assert max(len(widget["properties"].get("alarms", ())) for widget in body["widgets"]) <= 100
    assert titles(body).count("## Is it up?") == MOST_SECTIONS
    assert f"not on this dashboard: {', '.join(names[MOST_LINES:])}" in heading
    assert f"only in this overview: {', '.join(names[MOST_SECTIONS:MOST_LINES])}" in heading


def test_the_stack_needs_no_other(board: Boards) -> None:
    assert "Fn::ImportValue" not in json.dumps(board())
