"""What a simulation showed, in an outcome, words and a page."""

import pytest

from serinus.cli.simulate.drift import Drift
from serinus.cli.simulate.json_output import as_data
from serinus.cli.simulate.outcome import SimulationOutcome, evaluate
from serinus.cli.simulate.page import render
from serinus.cli.simulate.record import HourObserved, SimulationRecord

AGE = Drift("age", "shift", 0.5, 1)


def finding(column, role="input", kind="drift", named=True):
    return {"kind": kind, "column": column, "role": role, "named": named, "text": f"{column} moved",
            "identity": [kind, "b", column]}  # fmt: skip


def record(*hours, drifts=(AGE,)):
    """``hours`` are (hour, findings, alarm)."""
    observed = [HourObserved(hour, 1000, {"slow": 0.1}, tuple(findings), alarm) for hour, findings, alarm in hours]
    report = {"findings": [], "baselines": [], "coverage": {"counted": 0, "invoked": 0}}
    return SimulationRecord("churn", "dev", 3, 1000, drifts, (), observed, report, 0, 3000, {"simulate": 9.0})


def test_drift_that_its_column_is_named_for_is_found_with_its_delay():
    result = evaluate(record((23, [], False), (26, [finding("age")], True)))
    assert result.outcome is SimulationOutcome.AS_EXPECTED
    assert (result.drifts[0].delay_hours, result.drifts[0].alarm_hour) == (3, 26)
    assert "found after 3 hours: age moved" in result.summary


def test_predictions_may_follow():
    hours = (26, [finding("age"), finding("score", "output")], True)
    assert evaluate(record(hours)).outcome is SimulationOutcome.AS_EXPECTED


@pytest.mark.parametrize(
    ("hours", "drifts"),
    [
        ([(23, [finding("age")], True)], (AGE,)),
        ([(26, [finding("age"), finding("plan")], True)], (AGE,)),
        ([(5, [finding("score", "output")], True)], ()),
        ([(26, [finding("age"), finding("", "", "coverage")], True)], (AGE,)),
    ],
)
def test_what_did_not_drift_is_a_false_alarm(hours, drifts):
    result = evaluate(record(*hours, drifts=drifts))
    assert result.outcome is SimulationOutcome.FALSE_ALARM
    assert "Reported wrongly" in result.summary


def test_drift_that_is_not_found_or_not_named():
    for findings in ([], [finding("age", named=False)]):
        result = evaluate(record((40, findings, False)))
        assert result.outcome is SimulationOutcome.NOT_FOUND
        assert "age:+0.5sd@day1 was not found" in result.summary


def test_silence_without_drift():
    result = evaluate(record((40, [], False), drifts=()))
    assert (result.outcome, result.headline, result.summary) == (
        SimulationOutcome.AS_EXPECTED,
        "no alarm",
        "Nothing was reported.",
    )


def test_the_page_and_the_data_say_the_same():
    observed = record((23, [], False), (26, [finding("age")], True))
    result = evaluate(observed)
    page, data = render(observed, result), as_data(observed, result, 7)
    assert "drift found" in page
    assert "http" not in page
    assert data["drifts"][0]["found_after_hours"] == 3
    assert (data["outcome"], data["seed"]) == ("as_expected", 7)
