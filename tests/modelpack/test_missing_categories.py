"""Encoders and imputers whose missing values were None or NaN: to scikit-learn they differ, in requests both are
null."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from serinus.lambda_handlers.inference.limits import Limits
from serinus.lambda_handlers.inference.scoring import Scorer
from serinus.lambda_handlers.inference.session import open_model
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest

ROWS = 160
#: Four values, of which two are rare, and the missing one.
VALUES: dict[str, list[Any]] = {
    "texts with None": ["a", "b", None, "c", "d"],
    "texts with NaN": ["a", "b", np.nan, "c", "d"],
    "integers with None": [1, 2, None, 3, 4],
    "numbers with NaN": [1.5, 2.5, np.nan, 3.5, 4.5],
    "booleans with None": [True, False, None, True, False],
}
ENCODERS: dict[str, Callable[[], Any]] = {
    "one hot": lambda: OneHotEncoder(handle_unknown="ignore"),
    "one hot, infrequent": lambda: OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=15),
    "one hot, at most 3": lambda: OneHotEncoder(handle_unknown="ignore", max_categories=3),
    "ordinal": lambda: OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    ),
    "ordinal, infrequent": lambda: OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2, min_frequency=15
    ),
}
IMPUTERS: dict[str, Callable[[], list[Any]]] = {
    "no imputer": list,
    "an imputer of None": lambda: [SimpleImputer(missing_values=None, strategy="most_frequent")],
    "an imputer of NaN": lambda: [SimpleImputer(strategy="most_frequent")],
}
#: Encoders refuse NaN that they have not learnt, and an imputer of None does not take NaN.
TRAINED = [
    (values, imputer)
    for values in VALUES
    for imputer in IMPUTERS
    if not ("NaN" in values and imputer == "an imputer of None")
]


def _column(values: list[Any], dtype: Any) -> pd.Series:
    drawn = np.random.default_rng(4).choice(5, ROWS, p=[0.4, 0.3, 0.2, 0.05, 0.05])
    return pd.Series([values[index] for index in drawn], dtype=dtype)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize(("values", "imputer"), TRAINED)
def test_null_is_what_the_model_was_trained_on(values: str, imputer: str, encoder: str, tmp_path: Path) -> None:
    dtype = float if values == "numbers with NaN" else object
    table = pd.DataFrame({"c": _column(VALUES[values], dtype), "x": np.linspace(-2, 2, ROWS)})
    label = table["c"].isin(VALUES[values][:1]) ^ (table["x"] > 1)
    steps = make_pipeline(*IMPUTERS[imputer](), ENCODERS[encoder]())
    columns = ColumnTransformer([("c", steps, ["c"])], remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(table, label)
    joblib.dump(model, tmp_path / "model.joblib")
    table.to_parquet(tmp_path / "sample.parquet", index=False)
    request = PackageRequest(tmp_path / "model.joblib", "m", tmp_path / "sample.parquet", tmp_path)
    scorer = Scorer(open_model(package(request).bundle, memory_mb=512), Limits(), "1")
    asked = list(dict.fromkeys(VALUES[values]))
    expected = model.predict_proba(pd.DataFrame({"c": pd.Series(asked, dtype=dtype), "x": 0.3}))
    rows = [{"c": None if value is None or value != value else value, "x": 0.3} for value in asked]
    answer = scorer.predict(json.dumps({"rows": rows}).encode(), None)
    assert answer.status == 200, answer.body
    np.testing.assert_allclose(json.loads(answer.body)["probabilities"], expected, atol=1e-9)
