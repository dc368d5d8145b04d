"""Golden rows that are drawn within the sample's columns: nobody's row is shipped, and the source predicts
them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from serinus.lambda_handlers.contract.bundle import BASELINE, CARD, GOLDEN, MANIFEST, read_golden, read_manifest
from serinus.modelpack.errors import RequestError
from serinus.modelpack.request import PackageResult

Package = Callable[..., PackageResult]
ROWS = 300


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """Numbers that differ in every row, and notes that name a person."""
    random = np.random.default_rng(0)
    words = np.array(["late", "paid", "angry", "called", "moved", "thanks"])
    return pd.DataFrame(
        {
            "salary": np.round(random.normal(80_000, 9_000, ROWS), 2),
            "age": random.integers(18, 4_000, ROWS),
            "city": random.choice(["Bern", "Chur"], ROWS),
            "note": [f"{' '.join(random.choice(words, 3))} person{row}" for row in range(ROWS)],
        }
    )


@pytest.fixture(scope="module")
def model(people: pd.DataFrame) -> Any:
    columns = ColumnTransformer(
        [
            ("n", SimpleImputer(), ["salary", "age"]),
            ("c", OneHotEncoder(handle_unknown="ignore"), ["city"]),
            ("t", TfidfVectorizer(vocabulary=["late", "paid", "angry"]), "note"),
        ]
    )
    return make_pipeline(columns, RandomForestClassifier(5, random_state=0)).fit(people, people["age"] > 2_000)


def test_no_row_of_the_sample_is_shipped(model: Any, people: pd.DataFrame, pack: Package) -> None:
    bundle = pack(model, people).bundle
    golden = read_golden(bundle)
    rows = pd.DataFrame(list(golden.rows))
    assert not set(map(tuple, rows[["salary", "age"]].to_numpy())) & set(
        map(tuple, people[["salary", "age"]].to_numpy())
    )
    assert rows["salary"].min() >= people["salary"].min()
    assert rows["salary"].max() <= people["salary"].max()
    assert (rows["salary"].dropna().round(2) == rows["salary"].dropna()).all()
    assert set(rows["city"].dropna()) - {"(a value never seen)"} == {"Bern", "Chur"}
    for name in (GOLDEN, MANIFEST, BASELINE):
        assert "person" not in (bundle / name).read_text(), name
    assert "drawn within each column" in (bundle / CARD).read_text()
    example = {feature.name: feature.example for feature in read_manifest(bundle).signature.features}
    assert example["salary"] in rows["salary"].tolist()


def test_the_sources_predictions_are_shipped(model: Any, people: pd.DataFrame, pack: Package) -> None:
    golden = read_golden(pack(model, people).bundle)
    rows = pd.DataFrame(list(golden.rows)).fillna({"salary": np.nan, "age": np.nan, "city": np.nan})
    np.testing.assert_allclose(golden.outputs["probabilities"], model.predict_proba(rows), atol=1e-12)


def test_rows_of_the_sample_are_shipped_on_request_and_that_is_said(
    model: Any, people: pd.DataFrame, pack: Package
) -> None:
    packed = pack(model, people, golden="sample")
    rows = pd.DataFrame(list(read_golden(packed.bundle).rows))
    assert set(rows["note"]) <= set(people["note"])
    assert any("rows of the sample; it is shipped" in notice for notice in packed.notices)
    assert "rows of the sample, shipped with the bundle" in (packed.bundle / CARD).read_text()


def test_another_kind_of_rows_is_an_error(model: Any, people: pd.DataFrame, pack: Package) -> None:
    with pytest.raises(RequestError, match="golden 'none' is not one of synthetic, sample"):
        pack(model, people, golden="none")


def test_the_same_sample_draws_the_same_rows(
    model: Any, people: pd.DataFrame, pack: Package, tmp_path: Path
) -> None:
    first = pack(model, people)
    assert pack(model, people).version == first.version


def test_combinations_that_the_source_refuses_are_left_out(pack: Package) -> None:
    class_of_rows = pd.DataFrame({"a": np.arange(60.0), "b": np.arange(60.0)})
    model = make_pipeline(SimpleImputer(), LogisticRegression()).fit(class_of_rows, class_of_rows["a"] > 30)
    golden = read_golden(pack(model, class_of_rows).bundle)
    assert any(row["a"] != row["b"] for row in golden.rows)
