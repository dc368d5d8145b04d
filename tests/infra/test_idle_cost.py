"""The idle budget: what a project of one endpoint costs in a month without a request, at list prices."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.infra import prices
from serinus.infra.idle_cost import (
    HOURLY_LOOK_S,
    IDLE_LOOK_S,
    describe_total,
    idle_costs,
    read_templates,
    total,
    unpriced_types,
)
from serinus.infra.synth import synthesize

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "costs.md"
PROD = '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'
MAILED = '[operations]\nemails = ["ml@example.com"]\n'
NAMED_DOLLARS, DEV_DOLLARS = 3.0, 0.5

Templates = dict[str, dict[str, Any]]
Synthesized = Callable[..., Templates]


@pytest.fixture
def synthesized(new_project: Callable[[str], Any], tmp_path: Path) -> Synthesized:
    """The templates of a project whose endpoints have these tables."""

    def create(environment: str, *tables: str, operations: str = "") -> Templates:
        names = [f"model{number}" for number in range(len(tables))]
        endpoints = "".join(f"[endpoint.{name}]\n{table}" for name, table in zip(names, tables, strict=True))
        project = new_project(f'[project]\nname = "shop"\n{operations}{endpoints}{PROD}')
        for name in names:
            project.package(name, environment)
        project.build()
        return dict(read_templates(synthesize(project.folder, environment, tmp_path / "out")))

    return create


STRATEGIES = ["canary", "linear", "blue_green", "all_at_once"]


def strategy_of(strategy: str, endpoint: str = "model0") -> str:
    return f'[endpoint.{endpoint}.rollout]\nstrategy = "{strategy}"\n'


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(("environment", "budget"), [("prod", NAMED_DOLLARS), ("dev", DEV_DOLLARS)])
@pytest.mark.parametrize("front", ["", 'front = "http"\nauth = "iam"\n'], ids=["rest", "http"])
def test_by_default_an_idle_endpoint_stays_within_its_budget(
    synthesized: Synthesized, environment: str, budget: float, strategy: str, front: str
) -> None:
    templates = synthesized(environment, front + strategy_of(strategy))

    assert 0 < total(list(templates.values())) <= budget
    shared = {name for name in templates if name.endswith("-shared")}
    assert shared == ({"shop-prod-shared"} if environment == "prod" else set())


def test_ten_endpoints_share_one_monitor_one_key_and_one_dashboard(synthesized: Synthesized) -> None:
    one = synthesized("prod", "")
    alone = total([one["shop-prod-model0"]]) + prices.PER_CUSTOM_METRIC
    monitor = total([one["shop-prod-shared"]]) - prices.PER_CUSTOM_METRIC
    shared = MAILED + "dashboard = true\n"
    ten = synthesized("prod", *[""] * 10, operations=shared)

    assert total(list(ten.values())) == pytest.approx(
        10 * alone + monitor + prices.PER_KMS_KEY + prices.PER_DASHBOARD, abs=1e-9
    )


def test_a_monitor_costs_alarms_a_metric_for_each_endpoint_and_its_hourly_looks(synthesized: Synthesized) -> None:
    off = "[endpoint.{}.monitor]\nenabled = false\n"
    tables = [off.format(f"model{number}") for number in range(3)]
    without = total(list(synthesized("prod", *tables).values()))
    with_it = total(list(synthesized("prod", *[""] * 3).values()))
    looks = 730 * (0.2e-6 + HOURLY_LOOK_S * 0.5 * 0.0000166667 + 337 / 2**30 * 0.5)

    # An alarm and a metric for each endpoint; three metrics of the alarms on the monitor.
    assert with_it - without == pytest.approx(3 * (0.10 + 0.30) + 3 * 0.10 + looks)


#: The strategy that needs no weights, beside which environments may be kept ready.
AT_ONCE = strategy_of("blue_green")
SHAPES = {
    "defaults": ("", ""),
    "mailed": ("", MAILED),
    "snapstart": ('cold_start = "snapstart"\n', ""),
    "provisioned": (
        'cold_start = "provisioned"\n[endpoint.model0.provisioned]\n'
        'environments = 2\nmaximum = 5\ntarget_percent = 70\nschedule = { "cron(0 7 * * ? *)" = 3 }\n' + AT_ONCE,
        "",
    ),
    "edge": (
        "tracing = true\n[endpoint.model0.waf]\nip_rate_limit = 500\n"
        '[endpoint.model0.domain]\nname = "churn.example.com"\nhosted_zone_id = "Z0123456789ABC"\n'
        'certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/'
        '11111111-2222-3333-4444-555555555555"\n',
        "",
    ),
    "chat": ("", '[operations.slack]\nworkspace_id = "T0123456789"\nchannel_id = "C0123456789"\n'),
    "jwt": (
        'front = "http"\nauth = "jwt"\n[endpoint.model0.jwt]\nissuer = "https://issuer.example"\n'
        'audience = ["serving"]\n',
        "",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_type_of_resource_has_a_price(synthesized: Synthesized, shape: str) -> None:
    table, operations = SHAPES[shape]
    for template in synthesized("prod", table, operations=operations).values():
        assert unpriced_types(template) == []


def test_what_is_switched_on_costs_what_the_price_list_says(synthesized: Synthesized) -> None:
    def cost(table: str, operations: str = "") -> float:
        return total(list(synthesized("prod", table, operations=operations).values()))

    def more(shape: str, rollout: str = "") -> float:
        return cost(*SHAPES[shape]) - cost(rollout)

    # https://aws.amazon.com/lambda/pricing/: five snapshots of a GB; two environments of a GB, two alarms.
    assert more("snapstart") == pytest.approx(5 * 0.0000015046 * 730 * 3600)
    assert more("provisioned", AT_ONCE) == pytest.approx(2 * 0.0000041667 * 730 * 3600 + 0.2)
    assert more("edge") == pytest.approx(5 + 1)
    assert more("mailed") == pytest.approx(1)
    assert more("chat") == pytest.approx(1)


def alarm(*periods: int) -> dict[str, Any]:
    queries = [{"MetricStat": {"Period": period}} for period in periods] + [{"Expression": "a / b"}]
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": queries}}


def test_an_alarm_costs_as_many_metrics_as_it_refers_to() -> None:
    plain = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors", "Period": 60}}
    costs = {
        cost.resource: cost.dollars
        for cost in idle_costs({"Resources": {"Plain": plain, "Math": alarm(300, 300, 60), "Fast": alarm(10)}})
    }
    assert costs == pytest.approx({"Plain": 0.10, "Math": 0.30, "Fast": 0.30})


def test_the_judges_schedule_costs_invocations_time_and_logs() -> None:
    rule = {"ScheduleExpression": "rate(1 minute)", "Targets": [{"Arn": {"Fn::GetAtt": ["Judge", "Arn"]}}]}
    function = {"MemorySize": 2048, "Architectures": ["arm64"]}
    (cost,) = idle_costs(
        {
            "Resources": {
                "Rule": {"Type": "AWS::Events::Rule", "Properties": rule},
                "Judge": {"Type": "AWS::Lambda::Function", "Properties": function},
            }
        }
    )
    assert cost.count == 43_800
    assert cost.dollars == pytest.approx(43_800 * (0.2e-6 + 2 * IDLE_LOOK_S * 0.0000133334 + 337 / 2**30 * 0.5))


def test_what_has_no_known_price_is_named() -> None:
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    assert describe_total({"shop": template}) == (
        "idle: 0.00 dollars a month at list prices, without AWS::SQS::Queue (docs/costs.md)"
    )


@pytest.mark.parametrize(
    ("row", "environment", "operations"),
    [
        ("`dev`", "dev", ""),
        ("named", "prod", ""),
        ("named, with `emails` or a chat", "prod", MAILED),
        ("named, with `emails` and `dashboard`", "prod", MAILED + "dashboard = true\n"),
    ],
)
def test_the_pages_figures_are_what_the_templates_cost(
    synthesized: Synthesized, row: str, environment: str, operations: str
) -> None:
    (line,) = re.findall(rf"^\| {re.escape(row)} \|.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    one, ten = (float(cell.strip().lstrip("$")) for cell in line.split("|")[2:4])
    templates = synthesized(environment, "", operations=operations)
    shared = sum(total([template]) for name, template in templates.items() if name.endswith("-shared"))
    monitored = prices.PER_CUSTOM_METRIC if environment == "prod" else 0
    alone = total(list(templates.values()))

    assert one == pytest.approx(alone, abs=0.006)
    assert ten == pytest.approx(alone + 9 * (alone - shared + monitored), abs=0.06)


def test_the_command_prints_each_resource_and_the_total(synthesized: Synthesized, tmp_path: Path) -> None:
    templates = synthesized("prod", "", operations=MAILED)
    done = subprocess.run(
        [sys.executable, "-m", "serinus.infra.idle_cost", str(tmp_path / "out")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    *rows, last = done.stdout.splitlines()

    assert last == describe_total(templates)
    assert sum(float(row.split()[0]) for row in rows) == pytest.approx(total(list(templates.values())), abs=0.01)
    assert any("shop-prod-shared" in row and "KMS key" in row for row in rows)


def test_synth_says_what_a_deploy_will_cost_while_idle(
    synthesized: Synthesized, capsys: pytest.CaptureFixture[str]
) -> None:
    templates = synthesized("prod", "")
    assert capsys.readouterr().err == f"prod, {describe_total(templates)}\n"
    synthesized("local", "")
    assert capsys.readouterr().err == ""
