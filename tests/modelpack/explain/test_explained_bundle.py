"""From the settings' table to an explanation, in one process; and what packaging refuses or leaves out."""

import json
from collections.abc import Callable
from itertools import combinations
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from serinus.lambda_handlers.contract.bundle import BACKGROUND, SHIPPED, read_background, read_manifest, verify
from serinus.lambda_handlers.contract.errors import ContractError
from serinus.lambda_handlers.inference.endpoint import Endpoint, open_endpoint
from serinus.modelpack.errors import ExplanationError
from serinus.modelpack.explain.background import ROWS, is_requested
from serinus.modelpack.request import PackageResult

Package = Callable[..., PackageResult]
Post = Callable[..., Any]
TABLE = "[endpoint.churn.explanations]\n"


@pytest.fixture
def switched_on(tmp_path: Path) -> Path:
    """The project's settings, with explanations for `churn`."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "serinus.toml").write_text(TABLE, encoding="utf-8")
    return project


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    random = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "age": random.integers(18, 80, 300),
            "income": random.normal(50_000, 9_000, 300).round(2),
            "city": random.choice(["Rome", "Oslo", "Bern"], 300),
        }
    )
    table.loc[random.random(300) < 0.1, "income"] = np.nan
    return table


@pytest.fixture(scope="module")
def model(people: pd.DataFrame) -> Any:
    columns = ColumnTransformer([("n", SimpleImputer(), ["age", "income"]), ("c", OneHotEncoder(), ["city"])])
    left = (people["age"] > 50) ^ (people["city"] == "Rome") ^ (people["income"] > 55_000)
    pipeline = make_pipeline(columns, GradientBoostingClassifier(n_estimators=20, random_state=0))
    return pipeline.fit(people, np.where(left, "leaves", "stays"))


def serve(folder: Path, **limits: str) -> Endpoint:
    defaults = {"SERINUS_EXPLAIN_MAX_ROWS": "10", "SERINUS_EXPLAIN_MAX_MS": "60000"}
    return open_endpoint({"SERINUS_MODEL_DIR": str(folder), **defaults, **limits})


def explain(post: Post, endpoint: Endpoint, body: Any) -> tuple[int, Any]:
    response = post(endpoint, "/explain", json.dumps(body))
    return response["statusCode"], json.loads(response["body"])


def shapley(model: Any, row: list[Any], background: list[list[Any]], columns: list[str]) -> np.ndarray:
    """By the definition, over all subsets."""
    count, rows = len(row), pd.DataFrame(background, columns=columns)

    def value(subset: tuple[int, ...]) -> float:
        mixed = rows.copy()
        for number in subset:
            mixed[columns[number]] = np.nan if row[number] is None else row[number]
        return float(model.predict_proba(mixed)[:, 0].mean())

    values = np.zeros(count)
    for number in range(count):
        others = [other for other in range(count) if other != number]
        for size in range(count):
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            for subset in combinations(others, size):
                values[number] += weight * (value((*subset, number)) - value(subset))
    return values


def test_values_are_those_of_the_definition_within_their_standard_errors(
    model: Any, people: pd.DataFrame, pack: Package, switched_on: Path, post: Post
) -> None:
    bundle = pack(model, people).bundle
    background, endpoint = read_background(bundle), serve(bundle)
    rows = [[25, 61_000.0, "Rome"], [70, None, "Oslo"]]

    status, answer = explain(post, endpoint, {"rows": rows, "class": "leaves"})

    assert status == 200
    assert answer["explains"] == "probability"
    for row, explanation in zip(rows, answer["explanations"], strict=True):
        exact = shapley(model, row, background, list(people))
        errors = np.array(explanation["standard_errors"])
        assert (np.abs(np.array(explanation["values"]) - exact) <= 4 * errors + 1e-6).all()
        assert 0 < errors.max() < 0.05
        assert explanation["base"] + sum(explanation["values"]) == pytest.approx(explanation["probability"])


def test_the_background_is_drawn_hashed_and_nobodys_row(
    model: Any, people: pd.DataFrame, pack: Package, switched_on: Path
) -> None:
    result = pack(model, people)
    background = read_background(result.bundle)

    assert len(background) == ROWS
    shipped = {(age, income) for age, income, _ in background}
    assert not shipped & set(people[["age", "income"]].itertuples(index=False, name=None))
    assert any("explanations are on: the bundle holds 64 rows" in notice for notice in result.notices)
    (result.bundle / BACKGROUND).write_text('{"rows":[[1,2.0,"Rome"]]}', encoding="utf-8")
    with pytest.raises(ContractError, match="was changed after packaging"):
        verify(result.bundle)


def test_with_golden_rows_of_the_sample_the_background_is_of_the_sample(
    model: Any, people: pd.DataFrame, pack: Package, switched_on: Path
) -> None:
    background = read_background(pack(model, people, golden="sample").bundle)

    assert {row[0] for row in background} <= set(people["age"])
    assert {row[1] for row in background} - {None} <= set(people["income"])


def test_off_there_is_no_file_and_no_route_and_the_version_is_that_of_before(
    model: Any, people: pd.DataFrame, pack: Package, tmp_path: Path, post: Post
) -> None:
    bundle = pack(model, people).bundle

    assert not (bundle / BACKGROUND).exists()
    assert {path.name for path in bundle.iterdir()} >= set(SHIPPED)
    endpoint = open_endpoint({"SERINUS_MODEL_DIR": str(bundle)})
    status, answer = explain(post, endpoint, {"rows": [[25, 61_000.0, "Rome"]]})
    assert status == 404
    assert "[endpoint.NAME.explanations]" in answer["detail"]
    endpoint.close()
    with pytest.raises(ContractError, match=r"holds no background\.json"):
        serve(bundle)
    assert read_manifest(bundle).version == verify(bundle).version


@pytest.mark.parametrize("hot_route", ["1", "0"])
def test_faults_of_a_request_are_named_and_a_slow_explanation_is_refused(
    model: Any, people: pd.DataFrame, pack: Package, switched_on: Path, post: Post, hot_route: str
) -> None:
    bundle, row = pack(model, people).bundle, [25, 61_000.0, "Rome"]
    endpoint = serve(bundle, SERINUS_HOT_ROUTE=hot_route)

    status, answer = explain(post, endpoint, {"rows": [row], "class": "maybe", "top": 0, "why": True})
    assert status == 422
    assert {fault["field"] for fault in answer["errors"]} == {"class", "top", "why"}
    assert explain(post, endpoint, {"rows": [[*row, 1]]})[0] == 422
    assert explain(post, endpoint, [row])[0] == 422
    status, answer = explain(post, endpoint, {"rows": [row] * 11})
    assert (status, answer["type"]) == (413, "urn:serinus:too-many-rows")
    many = [row] * 1000
    status, answer = explain(
        post, serve(bundle, SERINUS_EXPLAIN_MAX_ROWS="1000", SERINUS_EXPLAIN_MAX_MS="1"), {"rows": many}
    )
    assert (status, answer["type"]) == (413, "urn:serinus:explanation-too-slow")
    assert "more than 1 ms" in answer["detail"]
    endpoint.close()


def test_a_regressors_value_is_explained_and_exactly_where_features_add_up(
    numbers: pd.DataFrame, score: Any, pack: Package, switched_on: Path, post: Post
) -> None:
    linear = LinearRegression().fit(numbers, score)
    bundle = pack(linear, numbers).bundle
    row = numbers.iloc[0].tolist()

    _, answer = explain(post, serve(bundle), {"rows": [row], "top": 2})

    (explanation,) = answer["explanations"]
    means = np.mean(read_background(bundle), axis=0)
    np.testing.assert_allclose(explanation["values"], linear.coef_ * (row - means), rtol=1e-3, atol=1e-4)
    assert max(explanation["standard_errors"]) < 1e-5
    assert explanation["base"] == pytest.approx(linear.intercept_ + linear.coef_ @ means, rel=1e-4)
    assert len(explanation["top"]) == 2
    assert explain(post, serve(bundle), {"rows": [row], "class": "a"})[0] == 422


def test_a_model_of_several_values_is_refused_by_name(
    numbers: pd.DataFrame, score: Any, pack: Package, switched_on: Path
) -> None:
    two = LinearRegression().fit(numbers, np.column_stack([score, -score]))

    with pytest.raises(ExplanationError, match="returns 2 values a row; one is explained"):
        pack(two, numbers)


@pytest.mark.parametrize(
    ("settings", "requested"),
    [
        (TABLE, True),
        ("[endpoint.churn.explanations]\nmax_rows = 5\n", True),
        ("[defaults.explanations]\n", True),
        ("[env.prod.endpoint.churn.explanations]\n[endpoint.churn]\n", True),
        ('[endpoint.shop]\nmodel = "churn"\n[endpoint.shop.explanations]\n', True),
        ('[endpoint.churn]\nmodel = "other"\n[endpoint.churn.explanations]\n', False),
        ("[endpoint.churn]\n", False),
        ("[endpoint.fraud.explanations]\n", False),
    ],
)
def test_any_table_of_an_endpoint_that_may_serve_the_model_asks_for_a_background(
    tmp_path: Path, settings: str, requested: bool
) -> None:
    (tmp_path / "serinus.toml").write_text(settings, encoding="utf-8")

    assert is_requested(tmp_path, "churn") is requested
