"""A small model of mixed types, whose endpoint is fuzzed."""

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest


def make_bundle(folder: Path) -> Path:
    """The bundle of a classifier of two numbers, one that may be missing, and two sets of strings, one closed."""
    random = np.random.default_rng(2)
    data = pd.DataFrame(
        {
            "charge": random.uniform(20, 120, 200).round(2),
            "age": np.where(random.random(200) < 0.2, np.nan, random.integers(18, 90, 200)),
            "contract": random.choice(["monthly", "two years"], 200),
            "city": random.choice(["Bern", "Köln", "Łódź"], 200),
        }
    )
    columns = ColumnTransformer(
        [
            ("numbers", SimpleImputer(), ["charge", "age"]),
            ("closed", OneHotEncoder(), ["contract"]),
            ("open", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ]
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=500)).fit(data, data["contract"] == "monthly")
    joblib.dump(model, folder / "model.joblib")
    data.to_parquet(folder / "sample.parquet")
    return package(PackageRequest(folder / "model.joblib", "churn", folder / "sample.parquet", folder)).bundle
