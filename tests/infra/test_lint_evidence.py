"""Lint compares the traffic that an endpoint is said to have with what the judge needs."""

from pathlib import Path

import pytest

from serinus.infra.lint import lint
from serinus.infra.lint.evidence_rules import LARGEST_UNSEEN, REQUESTS_TO_DETECT, canary_requests
from serinus.infra.settings import RolloutSettings

BASE = '[project]\nname = "shop"\n\n[endpoint.churn.rollout]\n'


def findings(folder: Path, table: str) -> list[str]:
    (folder / "serinus.toml").write_text(BASE + table, encoding="utf-8")
    return [str(finding) for finding in lint(folder, "dev")]


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ("requests_per_minute = 2", "does not even detect a version that fails every request before"),
        ("requests_per_minute = 20", "that fails every request, but not one that fails 1 in 5, before"),
        (
            "requests_per_minute = 60",
            "that fails 1 in 5, but not one that fails 1 in 10, before all traffic moves; ",
        ),
        ('strategy = "linear"\nrequests_per_minute = 20', "but not one that fails 1 in 5"),
    ],
)
def test_traffic_that_shows_little_is_a_warning(tmp_path: Path, table: str, what: str) -> None:
    (finding,) = findings(tmp_path, table)
    assert what in finding
    assert "Set a longer" in finding


@pytest.mark.parametrize(
    "table",
    [
        "requests_per_minute = 300",
        "requests_per_minute = 60\nshare_percent = 50",
        "requests_per_minute = 60\nbake_minutes = 30",
        'strategy = "linear"\nrequests_per_minute = 80',
    ],
)
def test_enough_traffic_share_or_time_is_not(tmp_path: Path, table: str) -> None:
    assert findings(tmp_path, table) == []


def test_the_figure_that_would_do_does(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, "requests_per_minute = 60")
    enough = int(finding.split("moves; ")[1].split(" ")[0])
    assert findings(tmp_path, f"requests_per_minute = {enough}") == []
    assert len(findings(tmp_path, f"requests_per_minute = {enough - 1}")) == 1


def test_steps_of_a_minute_leave_nothing_to_compare(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, 'strategy = "linear"\nstep_percent = 5\ninterval_minutes = 1')
    assert "in which the weights do not change" in finding


def test_strategies_without_a_shift_ignore_stated_traffic(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, 'strategy = "blue_green"\nrequests_per_minute = 2')
    assert "ignores requests_per_minute" in finding


def test_a_canary_is_comparable_but_for_its_ends() -> None:
    assert canary_requests(RolloutSettings()) == pytest.approx(7 * 0.1)
    assert canary_requests(RolloutSettings(share_percent=50)) == pytest.approx(7 * 0.25 / 0.9)
    assert canary_requests(RolloutSettings(bake_minutes=2)) == 0


def test_linear_steps_cost_a_minute_each() -> None:
    rollout = RolloutSettings(strategy="linear", step_percent=20, interval_minutes=5)
    whole = [share * (1 - share) / 0.9 for share in (0.2, 0.4, 0.6) for _ in range(5)][:12]
    assert canary_requests(rollout) == pytest.approx(sum(whole) - whole[5] - whole[10])


def test_less_common_faults_need_more_requests() -> None:
    assert sorted(REQUESTS_TO_DETECT.values()) == list(REQUESTS_TO_DETECT.values())
    assert LARGEST_UNSEEN in REQUESTS_TO_DETECT
