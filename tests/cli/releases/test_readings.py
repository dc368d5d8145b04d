"""Releases in two clouds that read AWS's documentation in opposite ways; `scripts/bench readings` plays many."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from serinus.offline.core.readings import Readings

# Last: a benchmark may bear the name of what it measures.
sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

import readings
from lab.covering import pairwise
from readings import EXTREMES, covering_rows


def test_every_pair_of_values_occurs_in_a_row() -> None:
    parameters = {"a": "12", "b": "123", "c": "1234", "d": "12"}
    rows = pairwise(parameters)
    for first, second in itertools.combinations(parameters, 2):
        met = {(row[first], row[second]) for row in rows}
        assert met == set(itertools.product(parameters[first], parameters[second]))
    assert 12 <= len(rows) <= 16
    assert rows == pairwise(parameters)


def test_the_benchmark_plays_every_value_of_every_reading() -> None:
    rows = covering_rows()
    for name in Readings.names():
        assert {row[name] for row in rows} == set(Readings.values_of(name))


@pytest.mark.cdk
@pytest.mark.parametrize("name", list(EXTREMES))
def test_no_release_is_promoted_against_the_verdict_and_a_stuck_stack_can_be_freed(name: str) -> None:
    """In a process of its own: whatever a rehearsal leaves open ends with it."""
    command = [sys.executable, str(readings.__file__), "--extreme", name, "--json"]
    releases = ("stack_fails", "good", "fails")
    done = subprocess.run([*command, "--releases", *releases], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-4000:]
    (row,) = json.loads(done.stdout)
    assert row["stack_fails"] == ("stuck" if name == "harsh" else "rolled back"), done.stderr[-4000:]
    # A hundred requests are just about enough evidence.
    assert row["good"] in ("promoted", "not enough evidence"), done.stderr[-4000:]
    assert row["fails"] == "rolled back", done.stderr[-4000:]
    assert (row["promoted_though_told"], row["alias_off"]) == (0, 0)
    assert row["freed"] == row["stuck"]
