"""Pipelines as people build them: text, categories, boosters inside ensembles; and what is refused by name."""

from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import IsolationForest, RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from serinus.lambda_handlers.contract import bundle
from serinus.modelpack.request import PackageResult

Package = Callable[..., PackageResult]


def _labels(score: Any) -> Any:
    return np.where(score > 5, "high", np.where(score > -5, "middle", "low"))


@pytest.mark.parametrize(
    "encoder",
    [OneHotEncoder(), OneHotEncoder(min_frequency=0.4, handle_unknown="infrequent_if_exist"), OrdinalEncoder()],
    ids=["one-hot", "infrequent", "ordinal"],
)
def test_words_alone_give_probabilities_in_double(
    encoder: Any, mixed: pd.DataFrame, score: Any, pack: Package
) -> None:
    words = mixed[["city", "plan"]].fillna("none")
    model = make_pipeline(ColumnTransformer([("words", encoder, ["city", "plan"])]), LogisticRegression())
    packed = pack(model.fit(words, _labels(score)), words)
    assert packed.parity.max_abs_difference < 1e-12
    outputs = {output.name: output.dtype for output in bundle.verify(packed.bundle).signature.outputs}
    assert outputs == {"label": "string", "probabilities": "float64"}


def test_missing_value_that_was_none_in_training_is_known(mixed: pd.DataFrame, score: Any, pack: Package) -> None:
    table = mixed[["b", "city"]].copy()
    table["city"] = table["city"].astype(object).where(table["city"].notna(), None)
    columns = ColumnTransformer([("n", SimpleImputer(), ["b"]), ("w", OneHotEncoder(), ["city"])])
    model = make_pipeline(columns, RandomForestClassifier(10, random_state=1)).fit(table, score > 0)
    assert any(value is None for value in columns.fit(table).named_transformers_["w"].categories_[0])
    packed = pack(model, table)
    assert packed.parity.labels_equal == 1.0
    assert bundle.verify(packed.bundle).signature.features[1].missing == "accepted"


@pytest.mark.parametrize("ensemble", ["voting", "stacking"])
def test_boosters_inside_ensembles(ensemble: str, numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    parts = [
        ("line", LogisticRegression(max_iter=500)),
        ("x", xgboost.XGBClassifier(n_estimators=3)),
        ("l", lightgbm.LGBMClassifier(n_estimators=3, verbose=-1)),
    ]
    model = VotingClassifier(parts, voting="soft") if ensemble == "voting" else StackingClassifier(parts, cv=2)
    packed = pack(make_pipeline(SimpleImputer(), model).fit(numbers, score > 0), numbers)
    assert packed.parity.labels_equal == 1.0
    assert packed.parity.max_abs_difference < 1e-5


def test_words_beyond_ascii_are_split_as_python_does(score: Any, pack: Package) -> None:
    text = pd.DataFrame({"text": np.where(score > 0, "die straße nach köln", "un café à paris, x y")})
    packed = pack(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(text["text"], score > 0), text)
    assert packed.parity.max_abs_difference < 1e-5


def test_isolation_forest_of_one_column(numbers: pd.DataFrame, pack: Package) -> None:
    rows = numbers[["a"]]
    assert pack(IsolationForest(n_estimators=5, random_state=1).fit(rows), rows).parity.agrees


def test_ensemble_around_columns(mixed: pd.DataFrame, score: Any, pack: Package) -> None:
    table = mixed[["b", "plan"]]
    columns = ColumnTransformer([("n", SimpleImputer(), ["b"]), ("w", OneHotEncoder(), ["plan"])])
    model = CalibratedClassifierCV(make_pipeline(columns, LogisticRegression()), cv=2).fit(table, score > 0)
    assert pack(model, table).parity.agrees
