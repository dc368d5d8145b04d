"""What the bundle says about its inputs is what the source model does with them."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from serinus.lambda_handlers.contract.bundle import read_golden, read_manifest
from serinus.lambda_handlers.contract.signature import Feature
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.request import PackageResult
from serinus.modelpack.sample import fit_to_model

Package = Callable[..., PackageResult]


@pytest.fixture
def model(mixed: pd.DataFrame, score: Any) -> Any:
    """Imputes `a` and `city`, takes no missing `b`; refuses unseen plans, ignores unseen cities and visits."""
    city = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = ColumnTransformer(
        [
            ("imputed", make_pipeline(SimpleImputer(), StandardScaler()), ["a"]),
            ("plain", StandardScaler(), ["b"]),
            ("city", city, ["city"]),
            ("plan", OneHotEncoder(), ["plan"]),
            ("visits", OneHotEncoder(handle_unknown="error"), ["visits"]),
            ("rest", "passthrough", ["member"]),
        ]
    )
    return make_pipeline(columns, LogisticRegression()).fit(mixed, score > 0)


@pytest.fixture
def packed(model: Any, mixed: pd.DataFrame, pack: Package) -> PackageResult:
    return pack(model, mixed)


def _features(packed: PackageResult) -> dict[str, Feature]:
    return {feature.name: feature for feature in read_manifest(packed.bundle).signature.features}


def test_dtypes_come_from_the_sample(packed: PackageResult) -> None:
    assert {name: feature.dtype for name, feature in _features(packed).items()} == {
        "a": "float64",
        "b": "float64",
        "city": "string",
        "plan": "string",
        "visits": "int64",
        "member": "bool",
    }


def test_missing_is_accepted_where_the_source_imputes(packed: PackageResult) -> None:
    accepted = {name for name, feature in _features(packed).items() if feature.missing == "accepted"}
    assert accepted == {"a", "city"}
    assert _features(packed)["city"].missing_string != ""
    assert _features(packed)["plan"].missing_string == ""


def test_unseen_is_refused_where_the_encoder_would_fail(packed: PackageResult) -> None:
    features = _features(packed)
    assert features["city"].unseen == "accepted"
    assert features["city"].categories == ("Bern", "Oslo", "Rome")
    assert features["plan"].unseen == "refused"
    assert features["plan"].categories == ("basic", "full")
    assert features["visits"].unseen == "refused"
    assert features["visits"].categories == (0, 1, 2, 3, 4)


def test_ranges_and_examples_are_the_samples(packed: PackageResult, mixed: pd.DataFrame) -> None:
    feature = _features(packed)["a"]
    assert (feature.minimum, feature.maximum) == (mixed["a"].min(), mixed["a"].max())
    assert mixed["a"].min() <= feature.example <= mixed["a"].max()
    assert _features(packed)["plan"].minimum is None


def test_golden_rows_are_requests_and_their_outputs_the_sources(
    packed: PackageResult, model: Any, mixed: pd.DataFrame
) -> None:
    golden = read_golden(packed.bundle)
    assert 24 <= len(golden.rows) <= 32
    assert all(list(row) != [] and set(row) == set(mixed.columns) for row in golden.rows)
    frame = pd.DataFrame([{**row, "a": np.nan if row["a"] is None else row["a"]} for row in golden.rows])
    frame["city"] = frame["city"].astype(object).where(frame["city"].notna(), np.nan)
    assert golden.outputs["label"] == model.predict(frame).tolist()
    assert np.allclose(golden.outputs["probabilities"], model.predict_proba(frame), rtol=1e-12)


def test_golden_set_holds_missing_values_extremes_and_every_label(
    packed: PackageResult, mixed: pd.DataFrame
) -> None:
    golden = read_golden(packed.bundle)
    assert any(row["a"] is None for row in golden.rows)
    assert any(row["city"] is None for row in golden.rows)
    assert all(row["b"] is not None for row in golden.rows)
    assert mixed["a"].max() in [row["a"] for row in golden.rows]
    assert {type(row["visits"]) for row in golden.rows} == {int}
    assert {type(row["member"]) for row in golden.rows} == {bool}
    assert set(golden.outputs["label"]) == {True, False}
    json.dumps(golden.to_json(), allow_nan=False)


def test_tensors_group_features_by_kind_in_their_order(packed: PackageResult, mixed: pd.DataFrame) -> None:
    tensors = {tensor.name: tensor for tensor in read_manifest(packed.bundle).signature.tensors}
    assert tensors["numbers"].features == ("a", "b", "visits", "member")
    assert tensors["strings"].features == ("city", "plan")
    sample = fit_to_model(mixed, names=tuple(mixed.columns), count=None)
    runner = Runner((packed.bundle / "model.onnx").read_bytes(), sample)
    assert runner(sample.frame)["label"].shape == (len(mixed),)


def test_sample_of_one_row_is_enough(model: Any, mixed: pd.DataFrame, pack: Package) -> None:
    one = mixed.dropna().head(1)
    packed = pack(model, one)
    assert len(read_golden(packed.bundle).rows) >= 1


def test_columns_in_another_order_are_put_right(model: Any, mixed: pd.DataFrame, pack: Package) -> None:
    packed = pack(model, mixed[list(reversed(mixed.columns))])
    assert read_manifest(packed.bundle).signature.feature_names() == tuple(mixed.columns)


def test_parquet_sample_gives_the_same_version(
    packed: PackageResult, model: Any, mixed: pd.DataFrame, pack: Package, tmp_path: Any
) -> None:
    from serinus.modelpack.package import PackageRequest, package

    mixed.to_parquet(tmp_path / "sample.parquet")
    again = package(
        PackageRequest(tmp_path / "model.joblib", "churn", tmp_path / "sample.parquet", tmp_path / "project")
    )
    assert again.version == packed.version
