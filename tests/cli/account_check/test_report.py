"""The reports of a check: a page for people, and a file of readings that an offline cloud starts with."""

from pathlib import Path

import pytest

from serinus.cli.account_check.observation import Observation, seconds_text
from serinus.cli.account_check.report import UNOBSERVED, CheckReport, complete, render, write_report
from serinus.offline.core.readings import InvalidReading, Readings

OBSERVED = {
    "metric-delay": Observation("metric-delay", "12..75.5", ("25 values", "sent values: 12.0, 75.5 s"), 1000.0),
    "hooks-in-rollback": Observation("hooks-in-rollback", "no", ("called in 0 of 3 rollbacks",), 1000.0),
    "alarm-polling": Observation("alarm-polling", None, ("no alarm fired",), 1000.0),
}


def report(cloud: str = "AWS") -> CheckReport:
    return CheckReport(cloud, "123456789012", "eu-west-1", 0.0, 3600.0, complete(OBSERVED, 3600.0), version="1.2")


def test_the_file_is_read_by_an_offline_cloud(tmp_path: Path) -> None:
    _, file = write_report(tmp_path / "docs", report())
    values = Readings.file(file)
    assert values == {"metric-delay": "12..75.5", "hooks-in-rollback": "no"}
    assert Readings().replaced(values).metric_delay.high == 75.5


def test_the_page_has_every_doubt_with_what_was_observed_or_why_not() -> None:
    page = render(report())
    for name in Readings.names():
        assert f"| `{name}` |" in page
    assert "| `metric-delay` | `12..75.5` |" in page
    assert "| `alarm-polling` | not observed |" in page
    assert "no alarm fired" in page
    for reason in UNOBSERVED.values():
        assert reason in page
    assert "2 of " in page


def test_the_page_does_not_publish_the_account() -> None:
    assert "123456789012" not in render(report())


def test_the_page_of_an_offline_cloud_says_that_it_is_not_about_aws() -> None:
    assert "says nothing about AWS" in render(report("an offline cloud"))
    assert "says nothing about AWS" not in render(report())


def test_an_observation_is_a_possible_value_of_its_reading() -> None:
    with pytest.raises(InvalidReading):
        Observation("hooks-in-rollback", "perhaps", (), 0.0)


@pytest.mark.parametrize(
    ("samples", "value"),
    [
        ([0.2, 0.4], "0"),
        ([10.0, 10.6], "10.6"),
        ([12.0, 75.52], "12..75.5"),
        ([0.1, 30.0], "0..30"),
        ([9000.0], "3600"),
    ],
)
def test_durations_as_a_reading(samples: list[float], value: str) -> None:
    assert seconds_text(samples, 1.0) == value
