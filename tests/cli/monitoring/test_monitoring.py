"""Reports as people read them, and live traffic that becomes the reference."""

import pytest

from serinus.cli.errors import CliError
from serinus.cli.monitoring.acceptance import accept_live
from serinus.cli.monitoring.columns import view_columns
from serinus.cli.monitoring.page import render
from serinus.cli.monitoring.reader import read_report
from serinus.lambda_handlers.contract.monitored import Monitored


def accept(filled, **options):
    options = {"baseline": None, "days": 1} | options
    return accept_live(filled.bucket, "churn", filled.function, now=filled.now, **options)


def test_columns_that_drift_come_first_with_evidence_and_effect(filled):
    age, score = view_columns(filled.report())
    assert (age.name, age.drifts, age.evidence) == ("age", True, 3.0)
    assert age.stability == pytest.approx(0.169, abs=0.001)
    assert age.moved[1:] in ((0.3, 0.5), (0.7, 0.5))
    assert (score.name, score.tested, score.evidence) == ("score <b>", False, 0.0)


def test_the_page_says_the_verdict_first_and_escapes_names(filled):
    page = render("churn", filled.report())
    assert page.index("drift (age)") < page.index("Evidence") < page.index("Columns")
    assert "score &lt;b&gt;" in page
    assert "<b>score" not in page
    assert "score <b>" not in page
    assert "95.8%" in page
    assert "http" not in page


def test_the_page_of_an_endpoint_without_rows(filled):
    column = {"column": "age", "role": "input", "tested": True, "before": {"up to 30": 1.0}, "now": {}}
    empty = {"baseline": "x", "reference": "sample", "rows": 0, "requests": 0, "refused": 0, "looks": {},
             "columns": [column], "unwatched": {}}  # fmt: skip
    page = render("churn", filled.report(findings=[], baselines=[empty], coverage={"counted": 0, "invoked": 0}))
    assert "No clock has looked yet" in page
    assert "no requests" in page


def test_accepted_traffic_is_the_next_reference_and_tests_predictions_too(filled):
    filled.look_at(24, 500)
    accepted = accept(filled)
    assert (accepted["number"], accepted["rows"], accepted["hours"]) == (1, 12_000, 24)
    kept = filled.bucket.store.get_reference(filled.function, filled.monitored.id)
    reference = Monitored.from_json(kept["reference"])
    assert kept["number"] == 1
    assert [column.total for column in reference.columns] == [12_000, 12_000]
    low, high = reference.columns[0].bands[0]
    assert low < 0.5 < high < 0.53
    assert all(column.bands for column in reference.columns)
    assert reference.unwatched == {"id": "distinct"}
    assert accept(filled)["number"] == 2


def test_too_little_traffic_is_not_accepted(filled):
    filled.look_at(2, 100)
    with pytest.raises(CliError, match="200 rows of churn were counted in the last 1 days"):
        accept(filled)
    assert filled.bucket.store.get_reference(filled.function, filled.monitored.id)["number"] == 0


def test_an_unknown_baseline_is_not_accepted(filled):
    filled.look_at(24, 500)
    with pytest.raises(CliError, match="--baseline deadbeef: churn counted under"):
        accept(filled, baseline="deadbeef")


@pytest.mark.parametrize(("day", "message"), [(None, "no report on churn yet"), ("2026-01-01", "of 2026-01-01"),
                                              ("yesterday", "is not a date")])  # fmt: skip
def test_a_report_that_is_not_there_is_said_in_words(filled, day, message):
    with pytest.raises(CliError, match=message):
        read_report(filled.bucket, "churn", filled.function, day)
