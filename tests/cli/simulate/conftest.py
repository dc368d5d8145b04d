"""A packaged model with numbers, categories and missing values, to simulate traffic for."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest

ROWS = 2000


@pytest.fixture(scope="session")
def table():
    random = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "age": random.integers(18, 90, ROWS),
            "income": np.where(random.random(ROWS) < 0.1, np.nan, random.normal(3000.0, 500.0, ROWS)),
            "debt": np.where(random.random(ROWS) < 0.4, 0.0, random.exponential(900.0, ROWS)),
            "plan": random.choice(["basic", "full", "trial"], ROWS, p=[0.6, 0.3, 0.1]),
        }
    )


@pytest.fixture(scope="session")
def bundle(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    encode = make_column_transformer(
        (SimpleImputer(), ["age", "income", "debt"]), (OneHotEncoder(handle_unknown="ignore"), ["plan"])
    )
    model = make_pipeline(encode, LinearRegression()).fit(table, table["age"] * 2.0)
    joblib.dump(model, folder / "model.joblib")
    table.to_csv(folder / "sample.csv", index=False)
    (folder / "project").mkdir()
    request = PackageRequest(folder / "model.joblib", "churn", folder / "sample.csv", folder / "project")
    return package(request).bundle
