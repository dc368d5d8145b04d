"""Releases in two clouds that read AWS's documentation in opposite ways; `scripts/bench readings` plays many."""

import itertools
import sys
from pathlib import Path

import pytest

from serinus.offline.core.readings import Readings

# Last: a benchmark may bear the name of what it measures.
sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from lab.covering import pairwise
from readings import covering_rows, play

#: The defaults, with delays, and the opposite of each.
HARSH = {"metric-delay": "30..120", "new-metric-delay": "120", "stack-alias-rollback": "stuck"}
KIND = {name: Readings.values_of(name)[0] for name in Readings.names()} | {
    "executed-version": "while-weighted",
    "empty-series": "filled",
    "throttled-version": "present",
    "target-version-weight": "fraction",
    "function-info-in-hooks": "present",
    "hooks-in-rollback": "no",
    "alarms-in-rollback": "no",
    "stack-alias-rollback": "direct",
}


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
@pytest.mark.parametrize("readings", [HARSH, KIND], ids=["harsh", "kind"])
def test_no_release_is_promoted_against_the_verdict_and_a_stuck_stack_can_be_freed(
    readings: dict[str, str],
) -> None:
    row = play(
        {**Readings().as_json(), **readings, "strategy": "canary", "setting": "promote"},
        ("fails", "stack_fails", "good"),
    )
    assert row["fails"] == "rolled back"
    assert row["stack_fails"] == ("stuck" if readings is HARSH else "rolled back")
    assert row["good"] == "promoted"
    assert (row["promoted_though_told"], row["alias_off"]) == (0, 0)
    assert row["freed"] == row["stuck"]
