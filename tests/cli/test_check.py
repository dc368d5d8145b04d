"""`serinus check`: a table against the constraints of the bundle that an environment pins."""

import json

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest

TOML = "[age]\nminimum = 18\n\n[plan]\nmissing = 0.1\n"


def table(rows=400):
    random = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "id": range(rows),
            "age": random.integers(18, 90, rows),
            "plan": random.choice(["basic", "full"], rows),
        }
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    project = folder / "project"
    (project / "constraints").mkdir(parents=True)
    (project / "serinus.toml").write_text('[project]\nname = "shop"\n\n[endpoint.churn]\n')
    (project / "constraints" / "churn.toml").write_text(TOML)
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["plan"]), remainder="passthrough")
    model = make_pipeline(encode, LinearRegression()).fit(table(), table()["age"] * 2.0)
    joblib.dump(model, folder / "model.joblib")
    table().to_csv(folder / "sample.csv", index=False)
    package(PackageRequest(folder / "model.joblib", "churn", folder / "sample.csv", project))
    return project


@pytest.fixture
def check(shop, tmp_path, serinus):
    def run(frame, *options):
        path = tmp_path / "data.csv"
        frame.to_csv(path, index=False)
        return serinus("check", str(path), "--name", "churn", *options, cwd=shop)

    return run


def test_a_table_like_the_sample_holds(check):
    done = check(table())
    assert (done.returncode, done.stdout.strip()) == (0, "400 rows hold the constraints on 3 columns")


def test_what_breaks_a_constraint_is_listed_with_rows_and_values(check):
    broken = table()
    broken.loc[[1, 4], "age"] = [17, 12]
    broken.loc[2, "id"] = 1
    broken.loc[:50, "plan"] = "platinum"
    done = check(broken.assign(extra=1), "--json")
    assert done.returncode == 1
    found = {(item["column"], item["constraint"]): item for item in json.loads(done.stdout)["breaches"]}
    assert set(found) == {("age", "range"), ("id", "unique"), ("plan", "values")}
    assert found["age", "range"]["examples"] == [[2, "17"], [5, "12"]]
    assert found["id", "unique"]["broken_by"] == 2
    assert found["plan", "values"]["broken_by"] == 51
    assert "extra" in done.stderr


def test_missing_values_and_other_types_are_listed(check):
    broken = table().astype({"age": object})
    broken.loc[3, "age"] = "old"
    broken.loc[:60, "plan"] = None
    done = check(broken)
    assert done.returncode == 1
    assert "row 4: 'old'" in done.stdout
    assert "61 (15.25%)" in done.stdout


def test_a_missing_column_is_listed(check):
    done = check(table()[["id", "plan"]])
    assert done.returncode == 1
    assert "presence" in done.stdout


@pytest.mark.parametrize(("content", "message"), [("", "is empty"), ("a,a\n1,2\n", "names column 'a' twice")])
def test_what_is_no_table_is_one_line(shop, tmp_path, serinus, content, message):
    (tmp_path / "data.csv").write_text(content)
    done = serinus("check", str(tmp_path / "data.csv"), "--name", "churn", cwd=shop)
    assert done.returncode == 4
    assert message in done.stderr
    assert done.stderr.count("\n") <= 2
    assert "sample" not in done.stderr


def test_lists_and_times_in_a_parquet_file_are_of_another_type(shop, tmp_path, serinus):
    odd = table().astype({"age": object})
    odd["age"] = [[1, 2]] * len(odd)
    odd["id"] = pd.Timestamp("2026-01-01")
    odd.to_parquet(tmp_path / "data.parquet")
    done = serinus("check", str(tmp_path / "data.parquet"), "--name", "churn", "--json", cwd=shop)
    assert done.returncode == 1, done.stderr
    found = {(item["column"], item["constraint"]) for item in json.loads(done.stdout)["breaches"]}
    assert {("age", "type"), ("id", "type"), ("id", "unique")} <= found


def test_values_that_a_constraint_tolerates_are_counted(check):
    few = table()
    few.loc[7, "plan"] = "platinum"
    done = check(few)
    assert done.returncode == 0
    assert "400 rows hold the constraints" in done.stdout
    assert "no more than it allows: plan values 1" in " ".join(done.stdout.split())


def test_inspect_lists_what_is_monitored_and_constrained(shop, serinus):
    shown = serinus("inspect", "churn", cwd=shop).stdout
    assert "monitored: " in shown
    stated = json.loads(serinus("inspect", "churn", "--json", cwd=shop).stdout)
    assert set(stated["constraints"]) == {"id", "age", "plan"}
