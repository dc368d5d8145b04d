"""Readings on the command line: a file under single values, and both under the short form of the metric delay."""

import itertools
import json
from pathlib import Path

import pytest

from serinus.cli.errors import WrongUsage
from serinus.cli.offline_process import SimulationOptions
from serinus.cli.readings import merge_readings
from serinus.offline.core.readings import Readings


def played(simulation: SimulationOptions) -> dict[str, str]:
    """The readings of a cloud that is started with these options."""
    arguments = simulation.arguments()
    pairs = [value for option, value in itertools.pairwise(arguments) if option == "--reading"]
    return Readings().replaced(Readings.assignments(pairs)).as_json()


def test_a_single_value_overrides_the_files(tmp_path: Path) -> None:
    file = tmp_path / "aws-verified.json"
    file.write_text(json.dumps({"hooks-in-rollback": "no", "alarm-polling": "15"}))
    values = merge_readings(["alarm-polling=30"], file)
    readings = played(SimulationOptions(metric_delay_s=90, readings=values))
    changed = {name: readings[name] for name in ("hooks-in-rollback", "alarm-polling", "metric-delay")}
    assert changed == {"hooks-in-rollback": "no", "alarm-polling": "30", "metric-delay": "90"}
    assert merge_readings(None, None) == {}


def test_a_reading_of_the_metric_delay_overrides_its_short_form() -> None:
    simulation = SimulationOptions(metric_delay_s=90, readings=merge_readings(["metric-delay=30..120"], None))
    assert played(simulation)["metric-delay"] == "30..120"


@pytest.mark.parametrize("pair", ["alarm-polling", "alarm-polling=often", "polling=15"])
def test_what_is_no_reading_is_wrong_usage(pair: str) -> None:
    with pytest.raises(WrongUsage, match=r"docs/offline\.md lists them"):
        merge_readings([pair], None)
