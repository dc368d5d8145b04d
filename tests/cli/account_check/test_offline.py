"""A short check of an offline cloud; `scripts/bench aws_account` makes whole ones, and interrupts them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

import aws_account
from aws_account import ONE_VERSION, SETS
from lab.account_check import agrees, played

from serinus.offline.core.readings import Readings


@pytest.mark.cdk
@pytest.mark.xdist_group("account-check")
def test_a_short_check_observes_one_version_and_leaves_nothing() -> None:
    """In a process of its own: whatever a check leaves open ends with it."""
    command = [sys.executable, str(aws_account.__file__), "--sets", "opposites", "--short"]
    done = subprocess.run([*command, "--no-moments", "--json"], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-4000:]
    rows = json.loads(done.stdout)
    assert [row["reading"] for row in rows if not row.get("agrees")] == [], rows
    assert {row["reading"] for row in rows} == set(ONE_VERSION)
    assert rows[0]["section"].endswith(" 0 things left")


def test_each_doubt_that_can_be_observed_has_two_values_in_the_sets() -> None:
    for name in played({}):
        assert len({played(readings)[name] for readings in SETS.values()}) > 1, name
    assert len(SETS) >= 4


@pytest.mark.parametrize(
    ("name", "readings", "observed", "agreed"),
    [
        ("metric-delay", {"metric-delay": "90"}, "91.5", True),
        ("metric-delay", {"metric-delay": "90"}, "30", False),
        ("metric-delay", {"metric-delay": "30..120"}, "33.1..117", True),
        ("metric-delay", {"metric-delay": "30..120"}, "3..117", False),
        ("new-metric-delay", {"metric-delay": "90", "new-metric-delay": "0"}, "90", True),
        ("alarm-polling", {"alarm-polling": "60"}, "40", True),
        ("alarm-polling", {"alarm-polling": "60"}, "0", False),
        ("alarm-polling", {"alarm-polling": "0"}, "40", False),
        ("hooks-in-rollback", {"hooks-in-rollback": "no"}, "no", True),
        ("hooks-in-rollback", {"hooks-in-rollback": "no"}, None, False),
    ],
)
def test_what_counts_as_observed(
    name: str, readings: dict[str, str], observed: str | None, *, agreed: bool
) -> None:
    assert agrees(name, Readings().replaced(readings).as_json(), observed) is agreed
