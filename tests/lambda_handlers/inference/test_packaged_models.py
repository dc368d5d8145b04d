"""Bundles as `modelpack` writes them, asked over proxy events, agree with the model that they were made from."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from serinus.lambda_handlers.contract.agreement import compare
from serinus.lambda_handlers.contract.bundle import read_golden
from serinus.lambda_handlers.contract.tolerance import Tolerance
from serinus.lambda_handlers.inference.endpoint import Endpoint
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest

FIELDS = {"label": "labels", "probabilities": "probabilities", "value": "values"}


def wine() -> tuple[Any, pd.DataFrame]:
    data, target = load_wine(return_X_y=True, as_frame=True)
    names = np.array(["barolo", "grignolino", "barbera"])[target]
    return make_pipeline(StandardScaler(), RandomForestClassifier(20, random_state=0)).fit(data, names), data


def two_targets() -> tuple[Any, pd.DataFrame]:
    data, target = load_diabetes(return_X_y=True, as_frame=True)
    return RandomForestRegressor(10, random_state=0).fit(data, np.column_stack([target, -target])), data


def mixed() -> tuple[Any, pd.DataFrame]:
    random = np.random.default_rng(5)
    data = pd.DataFrame(
        {
            "plan": random.choice(["basic", "plus"], 120),
            "age": random.integers(18, 90, 120),
            "usage": np.where(random.random(120) < 0.2, np.nan, random.normal(50, 9, 120).round(1)),
            "city": random.choice(["Bern", "Köln", "Łódź"], 120),
        }
    )
    encoder = ColumnTransformer(
        [
            ("numbers", SimpleImputer(), ["age", "usage"]),
            ("closed", OneHotEncoder(), ["plan"]),
            ("open", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ]
    )
    target = (data["age"] > 40) & (data["plan"] == "plus")
    return make_pipeline(encoder, RandomForestClassifier(20, random_state=0)).fit(data, target), data


@pytest.mark.parametrize("make", [wine, two_targets, mixed])
def test_served_predictions_agree_with_the_source(
    make: Callable[[], tuple[Any, pd.DataFrame]], tmp_path: Path, open_endpoints: Callable[..., Endpoint]
) -> None:
    model, data = make()
    joblib.dump(model, tmp_path / "model.joblib")
    data.to_parquet(tmp_path / "sample.parquet")
    bundle = package(
        PackageRequest(tmp_path / "model.joblib", "tried", tmp_path / "sample.parquet", tmp_path)
    ).bundle
    golden = read_golden(bundle)
    event = {
        "resource": "/predict",
        "path": "/predict",
        "httpMethod": "POST",
        "requestContext": {"path": "/predict"},
        "body": json.dumps({"rows": golden.rows}),
    }
    answer = open_endpoints(bundle)(event, None)
    assert answer["statusCode"] == 200, answer["body"]
    content = json.loads(answer["body"])
    served = {name: np.array(content[FIELDS[name]]) for name in golden.outputs}
    expected = {name: np.array(values) for name, values in golden.outputs.items()}
    assert compare(expected, served, Tolerance()).agrees
