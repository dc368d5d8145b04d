"""Constraints on inputs: inferred from the sample, replaced by what people wrote, kept in the bundle."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from serinus.lambda_handlers.contract import constraints, monitored
from serinus.lambda_handlers.contract.bundle import BASELINE
from serinus.lambda_handlers.contract.constraints import Constraint
from serinus.lambda_handlers.contract.monitored import Limit, Monitored
from serinus.modelpack.constraints import unique_columns
from serinus.modelpack.errors import RequestError


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(4)
    return pd.DataFrame(
        {"id": range(400), "age": random.integers(18, 90, 400), "income": random.normal(3000.0, 500.0, 400)}
    )


@pytest.fixture
def packaged(pack, table, tmp_path):
    """Packages with the text of a constraints file; returns the baseline."""

    def run(text=None):
        if text is not None:
            (tmp_path / "project" / "constraints").mkdir(parents=True, exist_ok=True)
            (tmp_path / "project" / "constraints" / "churn.toml").write_text(text)
        model = LinearRegression().fit(table, table["income"] * 2)
        return json.loads((pack(model, table).bundle / BASELINE).read_bytes())

    return run


def read(baseline):
    return {name: Constraint.from_json(data) for name, data in baseline[constraints.KEY].items()}


def column(baseline, name):
    columns = Monitored.from_json(baseline[monitored.KEY]).columns
    return next(column for column in columns if column.name == name)


def test_constraints_are_inferred_from_the_sample(packaged, table):
    found = read(packaged())
    assert (found["age"].type, found["age"].minimum, found["age"].maximum) == ("integer", 18, 89)
    assert found["income"].type == "number"
    assert 0.0 < found["age"].missing < 0.1
    assert {name: constraint.unique for name, constraint in found.items()} == {
        "id": True,
        "age": False,
        "income": False,
    }
    assert not any(constraint.edited for constraint in found.values())


def test_what_people_wrote_replaces_what_was_inferred_and_is_counted_live(packaged, table):
    baseline = packaged("[age]\nminimum = 21\nmaximum = 100\nmissing = 0.25\n\n[id]\nunique = false\n")
    age = read(baseline)["age"]
    assert (age.minimum, age.maximum, age.outside, age.missing) == (21, 100, 0.0, 0.25)
    assert age.edited == ("maximum", "minimum", "missing", "outside")
    assert not read(baseline)["id"].unique
    counted = column(baseline, "age")
    start = len(counted.edges)
    assert counted.counts[start + 1] == (table["age"] < 21).sum()
    assert counted.limits == (Limit("missing", (start,), 0.25), Limit("outside", (start + 1, start + 2), 0.0))


def test_another_constraint_makes_another_version(packaged):
    assert packaged("[age]\nminimum = 21\n") != packaged("[age]\nminimum = 22\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[age", "is not TOML"),
        ("[city]\nmissing = 0\n", "no column 'city'; it has age, id, income"),
        ("age = 3\n", "a table is required"),
        ("[age]\nminimum = 'x'\n", "age.minimum is 'x'; it must be a finite number"),
        ("[age]\nminimum = nan\n", "it must be a finite number"),
        ("[age]\nmissing = 2\n", "a share from 0 to 1"),
        ("[age]\nmissing = true\n", "a share from 0 to 1"),
        ("[age]\nvalues = []\n", "a list of numbers"),
        ("[age]\nlowest = 2\n", "age.lowest is not a constraint; allowed: maximum, minimum, missing"),
        ("[age]\nminimum = 5\nmaximum = 2\n", "age.minimum is 5, above its maximum, 2"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(packaged, text, message):
    with pytest.raises(RequestError, match=message) as error:
        packaged(text)
    assert "churn.toml" in str(error.value)


def test_an_end_that_nobody_wrote_is_open(packaged):
    baseline = packaged("[age]\nminimum = 0\n")
    age, counted = read(baseline)["age"], column(baseline, "age")
    assert (age.minimum, age.maximum, age.outside) == (0, None, 0.0)
    assert counted.limits == (Limit("outside", (len(counted.edges) + 1,), 0.0),)
    assert counted.maximum == 89.0


def test_values_of_a_number_are_counted_one_by_one(packaged):
    counted = column(packaged("[age]\nvalues = [18, 19, 20]\n"), "age")
    assert (counted.kind, counted.categories) == ("category", (18, 19, 20))
    assert counted.limits == (Limit("unseen", (4,), 0.0),)


def test_an_edited_constraint_is_another_baseline(packaged):
    """Counts of the former are compared with what was written then."""
    identities = {
        packaged(text)[monitored.KEY]["id"] for text in ("", "[age]\nmissing = 0.1\n", "[age]\nmissing = 0.2\n")
    }
    assert len(identities) == 3


def test_a_constraint_that_the_sample_breaks_is_remarked_upon(pack, table, tmp_path):
    (tmp_path / "project" / "constraints").mkdir(parents=True)
    (tmp_path / "project" / "constraints" / "churn.toml").write_text("[age]\nminimum = 50\n")
    result = pack(LinearRegression().fit(table, table["income"]), table)
    (notice,) = [notice for notice in result.notices if "break the constraint" in notice]
    assert "outside on age, which allows 0.0%" in notice


@pytest.mark.parametrize(
    ("values", "is_unique"),
    [
        (np.arange(2000), True),
        (np.arange(2000) * 3 + 100, True),
        (np.where(np.arange(2000) % 10 == 0, np.nan, np.arange(2000.0)), True),
        ([f"customer-{number}" for number in range(2000)], True),
        (np.arange(2000) + 0.5, False),
        (np.arange(2000) % 1999, False),
        (np.random.default_rng(1).choice(10**9, 2000, replace=False), False),  # incomes in cents
        (np.arange(50), False),
        ([[number] for number in range(2000)], False),
    ],
)
def test_unique_are_values_that_would_repeat_by_chance(values, is_unique):
    frame = pd.DataFrame({"column": pd.Series(values)})
    assert unique_columns(frame) == ({"column"} if is_unique else set())
