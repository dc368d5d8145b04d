"""Boolean columns with gaps: requests say true, false and null, and the model gets what it was trained on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from serinus.lambda_handlers.contract.bundle import read_baseline, read_golden, read_manifest
from serinus.lambda_handlers.contract.monitored import KEY
from serinus.lambda_handlers.inference.endpoint import Endpoint, open_endpoint
from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.openapi import describe
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest

Post = Callable[..., Any]

ROWS = 200


def _encoded(*steps: Any) -> Any:
    columns = ColumnTransformer([("flag", make_pipeline(*steps), ["flag"])], remainder="passthrough")
    return make_pipeline(columns, LogisticRegression())


MODELS: dict[str, Callable[[], Any]] = {
    "forest": lambda: RandomForestClassifier(5, random_state=0),
    "histogram boosting": lambda: HistGradientBoostingClassifier(max_iter=5),
    "imputer": lambda: make_pipeline(SimpleImputer(), LogisticRegression()),
    "one hot": lambda: _encoded(OneHotEncoder(handle_unknown="ignore")),
    "ordinal": lambda: _encoded(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    ),
    "imputer and one hot": lambda: _encoded(SimpleImputer(strategy="most_frequent"), OneHotEncoder()),
}
#: How the column is held in training, and written as the sample.
DTYPES = ("object", "boolean", "csv")


def _table(dtype: str) -> pd.DataFrame:
    random = np.random.default_rng(5)
    flags = pd.Series(random.random(ROWS) < 0.5).astype("boolean").mask(random.random(ROWS) < 0.2)
    if dtype != "boolean":
        flags = flags.astype(object).where(flags.notna(), np.nan)
    return pd.DataFrame({"flag": flags, "x": random.normal(size=ROWS)})


def _package(kind: str, dtype: str, folder: Path) -> tuple[Any, Path]:
    table = _table(dtype)
    label = (table["flag"].fillna(False).astype(bool) ^ (table["x"] > 1)) | table["flag"].isna()
    model = MODELS[kind]().fit(table, label.to_numpy())
    joblib.dump(model, folder / "model.joblib")
    sample = folder / ("sample.csv" if dtype == "csv" else "sample.parquet")
    table.to_csv(sample, index=False) if dtype == "csv" else table.to_parquet(sample, index=False)
    return model, package(PackageRequest(folder / "model.joblib", "flags", sample, folder)).bundle


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", MODELS)
def test_true_false_and_null_are_what_the_model_was_trained_on(kind: str, dtype: str, tmp_path: Path) -> None:
    model, bundle = _package(kind, dtype, tmp_path)
    feature = read_manifest(bundle).signature.features[0]
    assert (feature.dtype, feature.missing) == ("bool", "accepted")
    assert {row["flag"] for row in read_golden(bundle).rows} == {True, False, None}
    flags = [True, False, None]
    kept = "boolean" if dtype == "boolean" else object
    asked = pd.DataFrame({"flag": pd.Series(flags, dtype=kept), "x": [0.5, 0.5, 0.5]})
    if kept is object:
        asked["flag"] = asked["flag"].where(asked["flag"].notna(), np.nan)
    expected = model.predict_proba(asked)
    scorer = Scorer(open_model(bundle, memory_mb=512), Limits(), "1")
    for rows in ([{"flag": flag, "x": 0.5} for flag in flags], [[flag, 0.5] for flag in flags]):
        answer = scorer.predict(json.dumps({"rows": rows}).encode(), None)
        assert answer.status == 200, answer.body
        np.testing.assert_allclose(json.loads(answer.body)["probabilities"], expected, atol=1e-9)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Endpoint]:
    _, bundle = _package("one hot", "boolean", tmp_path_factory.mktemp("flags"))
    return bundle, open_endpoint({"SERINUS_MODEL_DIR": str(bundle), "SERINUS_DOCS": "1"})


def test_every_format_of_a_request_says_a_boolean_that_is_missing(
    served: tuple[Path, Endpoint], post: Post
) -> None:
    _, endpoint = served
    rows = [[True, 0.5], [False, 0.5], [None, 0.5]]
    answers = [
        post(endpoint, "/predict", json.dumps({"rows": rows})),
        post(endpoint, "/invocations", json.dumps({"dataframe_split": {"columns": ["flag", "x"], "data": rows}})),
        post(endpoint, "/invocations", "flag,x\ntrue,0.5\nFalse,0.5\n,0.5\n", "text/csv"),
    ]
    tensor = {"name": "numbers", "shape": [3, 2], "datatype": "FP64", "data": [1, 0.5, 0, 0.5, None, 0.5]}
    inference = post(endpoint, "/v2/models/flags/infer", json.dumps({"inputs": [tensor]}))
    parts = [json.loads(answer["body"]) for answer in answers]
    assert [answer["statusCode"] for answer in (*answers, inference)] == [200] * 4, inference["body"]
    assert parts[1]["predictions"] == parts[2]["predictions"] == parts[0]["labels"]
    outputs = {output["name"]: output["data"] for output in json.loads(inference["body"])["outputs"]}
    assert outputs["label"] == parts[0]["labels"]


def test_what_is_no_boolean_is_refused(served: tuple[Path, Endpoint], post: Post) -> None:
    answer = post(served[1], "/predict", json.dumps({"rows": [[1.0, 0.5]]}))
    assert answer["statusCode"] == 422
    assert "must be true or false" in answer["body"] or "must be one of" in answer["body"]


def test_schema_baseline_and_monitor_have_booleans(served: tuple[Path, Endpoint]) -> None:
    bundle, endpoint = served
    document = json.dumps(describe(endpoint.scorer, "", "api_key"))
    assert '"type": ["boolean", "null"]' in document
    baseline = read_baseline(bundle)
    profiled = baseline["features"]["flag"]
    assert {item["value"] for item in profiled["categories"]} == {True, False}
    assert profiled["missing"] > 0
    column = next(item for item in baseline[KEY]["columns"] if item["name"] == "flag")
    assert column["kind"] == "category"
    assert column["counts"][-1] == profiled["missing"]
