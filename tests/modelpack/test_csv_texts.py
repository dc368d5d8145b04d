"""CSV files have no types: the model's own categories decide which columns are text."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, TargetEncoder

from serinus.lambda_handlers.contract.bundle import read_golden, read_manifest
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest, PackageResult
from serinus.modelpack.sources.encoders import trace_texts
from serinus.modelpack.tables import read_table, texts_of

#: Values that pandas takes for something else, or for missing.
TEXTS: dict[str, list[str]] = {
    "postal codes": ["01234", "90210", "8001"],
    "booleans": ["True", "False"],
    "exponents": ["1e5", "2e5", "inf"],
    "dates": ["2020-01-01", "2020-02-01"],
    "missing markers": ["NA", "null", "None", "DE"],
    "an empty text": ["", "x"],
}


def _column(values: list[str], rows: int = 120) -> pd.Series:
    return pd.Series(np.random.default_rng(3).choice(np.array(values, object), rows), dtype=object)


def _package(model: Any, folder: Path, name: str = "zip", **settings: Any) -> PackageResult:
    joblib.dump(model, folder / "model.joblib")
    return package(PackageRequest(folder / "model.joblib", name, folder / "sample.csv", folder, **settings))


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("unknown", ["error", "ignore"])
def test_a_column_that_an_encoder_knows_as_text_stays_text(kind: str, unknown: Any, tmp_path: Path) -> None:
    table = pd.DataFrame({"code": _column(TEXTS[kind]), "x": np.arange(120.0)})
    label = table["code"] == TEXTS[kind][0]
    encoder = ColumnTransformer([("c", OneHotEncoder(handle_unknown=unknown), ["code"])], remainder="passthrough")
    model = make_pipeline(encoder, LogisticRegression()).fit(table, label)
    table.to_csv(tmp_path / "sample.csv", index=False)
    bundle = _package(model, tmp_path).bundle
    feature = read_manifest(bundle).signature.features[0]
    assert (feature.dtype, set(feature.categories or ())) == ("string", set(TEXTS[kind]))
    seen = {row["code"] for row in read_golden(bundle).rows if row["code"] is not None}
    assert set(TEXTS[kind]) <= seen
    texts = texts_of(read_manifest(bundle).signature)
    assert read_table(tmp_path / "sample.csv", texts)["code"].tolist() == table["code"].tolist()


def test_a_missing_marker_that_is_no_category_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("code,other\nNA,NA\nnull,1\nDE,2\n,3\n")
    read = read_table(path, {"code": ("NA", "DE")})
    assert read["code"].fillna("(missing)").tolist() == ["NA", "(missing)", "DE", "(missing)"]
    assert read["other"].isna().tolist() == [True, False, False, False]
    assert read_table(path, {"code": None})["code"].tolist() == ["NA", "null", "DE", ""]


def test_labels_holdout_and_traffic_are_read_as_the_model_knows_them(tmp_path: Path) -> None:
    table = pd.DataFrame({"code": _column(["007", "7"]), "grade": _column(["01", "NA"])})
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    model.fit(table[["code"]], table["grade"].where(table["code"] == "7", "01"))
    table["grade"] = model.predict(table[["code"]])
    for name in ("sample", "holdout", "traffic"):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    paths = {"holdout": tmp_path / "holdout.csv", "traffic": tmp_path / "traffic.csv"}
    result = _package(model, tmp_path, target="grade", **paths)
    assert result.score == 1.0
    assert result.holdout is not None
    assert result.holdout["bundle"]["accuracy"] == 1.0


def test_documents_are_text_even_where_all_look_like_numbers(tmp_path: Path) -> None:
    table = pd.DataFrame({"note": _column(["123", "456", "NA"])})
    label = table["note"] == "123"
    vectorizer = ColumnTransformer([("words", TfidfVectorizer(), "note")])
    model = make_pipeline(vectorizer, LogisticRegression()).fit(table, label)
    table.to_csv(tmp_path / "sample.csv", index=False)
    bundle = _package(model, tmp_path).bundle
    assert read_manifest(bundle).signature.features[0].dtype == "string"
    assert {row["note"] for row in read_golden(bundle).rows} >= {"123", "456", "NA"}


def _onehot() -> Any:
    return OneHotEncoder(handle_unknown="ignore")


SHAPES: dict[str, Any] = {
    "an imputer before": lambda: make_pipeline(SimpleImputer(strategy="most_frequent"), _onehot()),
    "an imputer with indicators": lambda: make_pipeline(
        SimpleImputer(strategy="most_frequent", add_indicator=True), OrdinalEncoder()
    ),
    "columns, then encoders by position": lambda: make_pipeline(
        ColumnTransformer([("t", "passthrough", ["code"]), ("x", "passthrough", ["x"])]),
        ColumnTransformer([("c", _onehot(), [0])], remainder="passthrough"),
    ),
    "columns as frames": lambda: make_pipeline(
        ColumnTransformer([("t", "passthrough", ["code"])], remainder="drop").set_output(transform="pandas"),
        ColumnTransformer([("c", _onehot(), ["t__code"])]),
    ),
    "columns by dtype": lambda: ColumnTransformer([("c", _onehot(), make_column_selector("code"))]),
    "a step of none": lambda: make_pipeline(FunctionTransformer(), "passthrough", _onehot()),
    "a slice": lambda: ColumnTransformer([("c", OrdinalEncoder(), slice("code", "code"))]),
    "a mask": lambda: ColumnTransformer([("c", OrdinalEncoder(), [True, False])]),
    "a target encoder": lambda: ColumnTransformer([("c", TargetEncoder(), ["code"])]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_text_is_traced_through_steps(shape: str) -> None:
    table = pd.DataFrame({"code": _column(["01", "1"]), "x": np.arange(120)})
    label = (table["code"] == "1").astype(int)
    steps = SHAPES[shape]().fit(table, label)
    texts = trace_texts(steps, ("code", "x"))
    assert texts["code"] == ("01", "1")


def test_text_is_traced_through_estimators_that_hold_others() -> None:
    table = pd.DataFrame({"code": _column(["01", "1"])})
    label = (table["code"] == "1").astype(int)
    inner = make_pipeline(_onehot(), VarianceThreshold(), LogisticRegression())
    search = GridSearchCV(inner, {"logisticregression__C": [1.0]}, cv=2)
    for model in (VotingClassifier([("a", inner)]), search, Pipeline([("searched", search)])):
        assert trace_texts(model.fit(table, label), ("code",)) == {"code": ("01", "1")}
