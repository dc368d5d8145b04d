"""`scripts/bench models` on few estimators: each outcome is named, and a crash ends one estimator alone."""

import json
import sys
from pathlib import Path

import pytest

# Last: a benchmark may bear the name of what it measures.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from catalogue.children import outcomes_of, totals
from catalogue.estimators import cases
from catalogue.outcomes import try_case


@pytest.mark.parametrize(
    ("kind", "name", "outcomes"),
    [
        ("classifier", "LinearSVC", ["packaged"]),
        ("transformer", "StandardScaler", ["packaged", "packaged"]),
        ("regressor", "RadiusNeighborsRegressor", ["refused"]),
    ],
)
def test_outcomes(kind: str, name: str, outcomes: list[str]) -> None:
    assert [try_case(case)[0] for case in cases(kind, name)] == outcomes


def test_a_wrong_answer_is_found() -> None:
    case = next(cases("regressor", "Ridge"))
    case.model.predict = lambda rows, own=case.model.predict: own(rows) + 1e-6 * (len(rows) == 500)
    outcome, detail = try_case(case)
    assert (outcome, detail.split(" in ")[0]) == ("wrong", "float64: 500 of value")


def test_a_crash_ends_one_name_alone(tmp_path: Path) -> None:
    script = tmp_path / "crashes.py"
    line = json.dumps({"name": "good", "outcome": "packaged", "detail": "float64"})
    script.write_text(
        "import sys, os, json\n"
        "for name in sys.argv[3:]:\n"
        "    if name == 'bad': os.abort()\n"
        f"    print('{line}', flush=True)\n"
        "    print(json.dumps({'finished': name}), flush=True)\n"
    )
    rows = list(outcomes_of(str(script), "classifier", ["first", "bad", "last"]))
    assert [row["outcome"] for row in rows] == ["packaged", "crash", "packaged"]
    assert rows[1]["name"] == "bad"
    assert totals("classifier", rows)["aim"] == "MISSED"
    assert totals("classifier", [rows[0]])["aim"] == "met"
