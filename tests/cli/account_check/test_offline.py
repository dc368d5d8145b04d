"""A whole check of an offline cloud: what the cloud plays is observed, and nothing is left of the check."""

import signal
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from aws_account import SETS, interrupted_check
from lab.account_check import agrees, check_cloud, cloud_of, left_in, played, project_in

from serinus.cli.account_check.inventory import FOLDER
from serinus.offline.core.readings import Readings

pytestmark = [
    pytest.mark.cdk,
    pytest.mark.xdist_group("account-check"),
    # A cloud outlives the object that started its process; it is stopped by its id.
    pytest.mark.filterwarnings(r"ignore:subprocess \d+ is still running:ResourceWarning"),
]

#: Observed on one version: these need no release.
ONE_VERSION = (
    "metric-delay",
    "new-metric-delay",
    "list-metrics-delay",
    "empty-series",
    "delete-function-resource",
    "waf-reserved-names",
    "role-propagation",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared: it keeps the check's packaged model."""
    return project_in(tmp_path_factory.mktemp("shop"))


def test_a_short_check_observes_one_version_and_leaves_nothing(project: Path) -> None:
    readings = {
        "metric-delay": "30..120",
        "new-metric-delay": "60..120",
        "list-metrics-delay": "300",
        "empty-series": "filled",
        "delete-function-resource": "version",
        "waf-reserved-names": "case-sensitive",
    }
    with cloud_of(project, readings) as cloud:
        report = check_cloud(project, cloud, releases=False)
        assert report.failure == ""
        assert left_in(cloud) == []
    observed, every = report.readings(), played(readings)
    assert {name: observed.get(name) for name in ONE_VERSION if not agrees(name, every, observed.get(name))} == {}
    assert not list((project / FOLDER).glob("*.json"))


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("title", list(SETS))
def test_every_reading_that_the_cloud_plays_is_observed(project: Path, title: str) -> None:
    with cloud_of(project, SETS[title]) as cloud:
        report = check_cloud(project, cloud)
        assert report.failure == ""
        assert left_in(cloud) == []
    observed, every = report.readings(), played(SETS[title])
    assert {name: observed.get(name) for name in every if not agrees(name, every, observed.get(name))} == {}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_next_run_removes_what_a_killed_one_left(project: Path) -> None:
    with cloud_of(project, {}) as cloud:
        assert interrupted_check(project, cloud.port, "create function", signal.SIGKILL) == -signal.SIGKILL
        assert left_in(cloud)
        assert interrupted_check(project, cloud.port, "begin", signal.SIGINT) == 130
        assert left_in(cloud) == []


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
