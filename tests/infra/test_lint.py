from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serinus.infra.alarm_plan import PlannedAlarm, WatchedMetric, plan_alarms
from serinus.infra.errors import LintError
from serinus.infra.lint import Finding, alarm_rules, lint
from serinus.infra.lint.alarm_rules import is_carried
from serinus.infra.lint.rollout_rules import SHORTEST_JUDGED_MINUTES
from serinus.infra.settings.schema import EndpointSettings
from serinus.infra.synth import synthesize
from serinus.lambda_handlers.contract.build import BUILD_DIR
from serinus.lambda_handlers.contract.release import LAST_WORD_MINUTES

BASE = 'env.dev.defaults.alarms.coverage = "full"\n[project]\nname = "shop"\n[endpoint.churn]\n'
PROD = '[env.prod]\naccount = "123456789012"\nregion = "eu-central-1"\n'


def findings_in(folder: Path, text: str, environment: str = "dev") -> list[Finding]:
    (folder / "serinus.toml").write_text(text, encoding="utf-8")
    return lint(folder, environment)


@pytest.mark.parametrize("environment", ["dev", "local"])
def test_the_defaults_have_nothing_wrong(tmp_path: Path, environment: str) -> None:
    assert findings_in(tmp_path, BASE, environment) == []


@pytest.mark.parametrize(
    ("table", "severity", "line", "key", "said"),
    [
        (
            '[endpoint.churn.rollout]\nstrategy = "linear"\nstep_percent = 1\ninterval_minutes = 30\n',
            "error", 8, "endpoint.churn.rollout.interval_minutes", "take 2970 minutes; CloudFormation allows 1980",
        ),
        (
            '[endpoint.churn.rollout]\nstrategy = "blue_green"\nbake_minutes = 60\n',
            "error", 7, "endpoint.churn.rollout.bake_minutes", "gives up after an hour",
        ),
        (
            "[endpoint.churn.alarms]\np99_ms = 20000\n",
            "error", 6, "endpoint.churn.alarms.p99_ms", "cannot reach: they range from 0 to 20000",
        ),
        (
            "[endpoint.churn.alarms]\np99_ms = 400\n",
            "warning", 6, "endpoint.churn.alarms.p99_ms", "begins with cold starts",
        ),
        (
            "[endpoint.churn.alarms]\np99_ms = 1500\n",
            "warning", 6, "endpoint.churn.alarms.p99_ms", "may take 1900 ms with memory_mb = 1024",
        ),
        (
            "[endpoint.churn.rollout]\ncold_limit_ms = 1200\n",
            "warning", 6, "endpoint.churn.rollout.cold_limit_ms", "is stopped if two take more than 1200 ms",
        ),
        (
            "memory_mb = 256\n[endpoint.churn.alarms]\np99_ms = 4000\n",
            "warning", 7, "endpoint.churn.alarms.p99_ms", "may take 4400 ms with memory_mb = 256",
        ),
        (
            "timeout_s = 1\n[endpoint.churn.rollout]\nwarm_limit_ms = 900\n",
            "warning", 4, "endpoint.churn.alarms.p99_ms", "500 ms (half of timeout_s unless set)",
        ),
        (
            'cold_start = "provisioned"\n',
            "error", 5, "endpoint.churn.cold_start", "Lambda may reject weights",
        ),
        (
            "[endpoint.churn.rollout]\nbake_minutes = 9\n",
            "warning", 6, "endpoint.churn.rollout.bake_minutes", "its alarm may need 5 to stop CodeDeploy",
        ),
        (
            '[endpoint.churn.rollout]\nstrategy = "linear"\nstep_percent = 50\n',
            "warning", 4, "endpoint.churn.rollout.interval_minutes", "judged for 2 minutes, too short",
        ),
        (
            '[endpoint.churn.rollout]\nstrategy = "blue_green"\nbake_minutes = 2\n',
            "warning", 7, "endpoint.churn.rollout.bake_minutes", "live requests: metrics settle after two",
        ),
        (
            '[endpoint.churn.rollout]\nstrategy = "blue_green"\nbake_minutes = 1\n',
            "warning", 7, "endpoint.churn.rollout.bake_minutes", "is judged for 1 minute, too short",
        ),
        (
            "[endpoint.churn.rollout]\nbake_minutes = 3\n",
            "warning", 6, "endpoint.churn.rollout.bake_minutes", "too short for a verdict",
        ),
        (
            "[endpoint.churn.rollout]\nstep_percent = 20\n",
            "warning", 6, "endpoint.churn.rollout.step_percent", "strategy canary ignores step_percent",
        ),
        (
            "[endpoint.churn.rollout]\nminimum_requests = 10000\n",
            "warning", 6, "endpoint.churn.rollout.minimum_requests", "can send the new version 9000 in 15 minutes",
        ),
        (
            "[endpoint.churn.alarms]\nminimum_requests = 4000\n",
            "warning", 6, "endpoint.churn.alarms.minimum_requests", "can send the new version 3000",
        ),
        (
            "reserved_concurrency = 0\n",
            "warning", 5, "endpoint.churn.reserved_concurrency", "no new version can be released",
        ),
        (
            "reserved_concurrency = 1\n",
            "warning", 5, "endpoint.churn.reserved_concurrency", "throttle each other",
        ),
        (
            "timeout_s = 4\n[endpoint.churn.rollout]\nwarm_limit_ms = 4000\n",
            "warning", 7, "endpoint.churn.rollout.warm_limit_ms", "times out at timeout_s, after 4000 ms",
        ),
        (
            "timeout_s = 4\n[endpoint.churn.explanations]\nmax_ms = 4000\n",
            "error", 7, "endpoint.churn.explanations.max_ms", "times out at timeout_s, after 4000 ms",
        ),
    ],
)  # fmt: skip
def test_each_finding_says_what_where_and_how_to_mend_it(
    tmp_path: Path, table: str, severity: str, line: int, key: str, said: str
) -> None:
    (finding,) = findings_in(tmp_path, BASE + table)

    assert (finding.severity, finding.line, finding.key, finding.endpoint) == (severity, line, key, "churn")
    assert said in finding.what
    assert finding.mend


@pytest.mark.parametrize("strategy", ["canary", "linear", "blue_green"])
def test_a_shift_as_long_as_it_is_unless_told_leaves_time_for_verdict_and_alarm(
    tmp_path: Path, strategy: str
) -> None:
    assert findings_in(tmp_path, BASE + f'[endpoint.churn.rollout]\nstrategy = "{strategy}"\n') == []


def test_no_alarm_needs_longer_than_what_is_long_enough_for_a_verdict() -> None:
    """So a word about too short a bake covers them all."""
    for strategy in ("canary", "linear"):
        settings = EndpointSettings.model_validate({"rollout": {"strategy": strategy}})
        needed = [alarm.periods * alarm.period_s / 60 for alarm in plan_alarms(settings) if alarm.periods > 1]
        assert needed
        assert max(needed) + LAST_WORD_MINUTES <= SHORTEST_JUDGED_MINUTES[strategy]


def test_an_unjudged_strategy_is_worth_a_word_where_an_account_is_named(tmp_path: Path) -> None:
    text = BASE + '[endpoint.churn.rollout]\nstrategy = "all_at_once"\n' + PROD

    assert findings_in(tmp_path, text, "dev") == []
    (finding,) = findings_in(tmp_path, text, "prod")
    assert finding.severity == "warning"
    assert finding.what.startswith("all_at_once is checked before traffic only")


def test_the_line_is_that_of_the_table_that_decides(tmp_path: Path) -> None:
    text = BASE + PROD + "[env.prod.defaults.rollout]\nbake_minutes = 2\n"

    (finding,) = findings_in(tmp_path, text, "prod")

    assert (finding.line, finding.key) == (9, "env.prod.defaults.rollout.bake_minutes")


def test_what_nobody_wrote_is_found_at_the_endpoints_table(tmp_path: Path) -> None:
    (finding, *_) = findings_in(
        tmp_path,
        BASE + "rate_limit_per_s = 1\nburst_limit = 1\n[defaults]\ntimeout_s = 5\n"
        "[endpoint.churn.rollout]\nbake_minutes = 1980\nshare_percent = 1\n",
    )

    assert (finding.line, finding.key) == (4, "endpoint.churn.alarms.minimum_requests")


def test_errors_come_first(tmp_path: Path) -> None:
    findings = findings_in(tmp_path, BASE + "reserved_concurrency = 1\n[endpoint.churn.alarms]\np99_ms = 20000\n")

    assert [finding.severity for finding in findings] == ["error", "warning"]


def test_layers_near_the_limit_and_beyond_are_told(new_project: Callable[[str], Any]) -> None:
    project = new_project(BASE)
    project.package("churn")
    for unzipped_mb, expected in ((100, []), (120, ["warning"]), (130, ["error"])):
        project.build(unzipped_bytes=unzipped_mb * 2**20)
        assert [finding.severity for finding in lint(project.folder, "dev")] == expected
    (project.folder / BUILD_DIR / "manifest.json").unlink()
    assert lint(project.folder, "dev") == []


@pytest.mark.parametrize(
    ("threshold", "below", "said"),
    [
        (-1.0, False, "every release"),
        (101.0, False, "cannot reach"),
        (0.0, True, "cannot reach"),
        (101.0, True, "every release"),
    ],
)
def test_an_alarm_that_can_never_or_always_fire_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, threshold: float, below: bool, said: str
) -> None:
    planned = PlannedAlarm("Errors", "", "x", {}, threshold, 60, below=below, least=0.0, most=100.0)
    monkeypatch.setattr(alarm_rules, "plan_alarms", lambda _settings: (planned,))

    (finding,) = findings_in(tmp_path, BASE)

    assert said in finding.what


def test_more_alarms_than_a_group_holds_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    planned = PlannedAlarm("Errors", "", "x", {}, 1.0, 60)
    monkeypatch.setattr(alarm_rules, "plan_alarms", lambda _settings: (planned,) * 11)

    assert "11 alarms guard the release; a deployment group holds 10" in findings_in(tmp_path, BASE)[0].what


def test_lambda_names_the_executed_version_only_while_the_alias_has_weights() -> None:
    watched = WatchedMetric(
        "AWS/Lambda", "Errors", frozenset({"FunctionName", "Resource", "ExecutedVersion"}), "Sum"
    )

    assert is_carried(watched, weighted=True)
    assert not is_carried(watched, weighted=False)


@pytest.mark.parametrize(
    "dimensions", [{"FunctionName"}, {"FunctionName", "Resource"}, {"FunctionName", "ExecutedVersion"}]
)
def test_our_own_metrics_are_carried_by_function_and_version_only(dimensions: set[str]) -> None:
    assert not is_carried(WatchedMetric("Serinus", "Errors", frozenset(dimensions), "Sum"), weighted=True)


def test_the_verdict_is_carried_by_function_too() -> None:
    assert is_carried(WatchedMetric("Serinus", "Verdict", frozenset({"FunctionName"}), "Sum"), weighted=False)


def test_synth_refuses_errors_and_says_warnings(
    project: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project.write_settings(BASE + "reserved_concurrency = 1\n[endpoint.churn.alarms]\np99_ms = 20000\n")

    with pytest.raises(LintError, match=r"serinus.toml has 1 error in environment dev:\n  line 7: endpoint.churn"):
        synthesize(project.folder, "dev", tmp_path / "out")

    assert capsys.readouterr().err.startswith("warning: line 5: endpoint.churn.reserved_concurrency: 1 lets ")
