"""Data on which rounding shows: no label flips where the source is decided by more than rounding."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.sample import fit_to_model
from serinus.modelpack.sources.sklearn import SklearnSource

ROWS, TRAINED_ROWS = 3000, 500
#: Probabilities closer to each other than this are decided by rounding.
_ROUNDING = 1e-12

MODELS: dict[str, Callable[[], Any]] = {
    "forest": lambda: RandomForestClassifier(20, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=20, random_state=0),
    "histogram boosting": lambda: HistGradientBoostingClassifier(max_iter=20),
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
}


def _one_decimal(random: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(np.round(random.normal(0.0, 10.0, (ROWS, 4)), 1), columns=list("abcd"))


def _dates(random: np.random.Generator) -> pd.DataFrame:
    seconds = 1_700_000_000 + random.integers(0, 3 * 10**7, (ROWS, 4))
    scales = np.array([1, 1000, 10**6, 10**9], dtype=np.int64)
    return pd.DataFrame(seconds * scales + random.integers(0, 1000, (ROWS, 4)), columns=list("abcd"))


def _huge(random: np.random.Generator) -> pd.DataFrame:
    scales = np.array([1e7, 1e16, 1e25, 1e34])
    return pd.DataFrame(random.normal(size=(ROWS, 4)) * scales, columns=list("abcd"))


DATA = {"one decimal": _one_decimal, "dates": _dates, "huge": _huge}


def _flips(model: Any, frame: pd.DataFrame) -> int:
    """Labels of the graph that differ where the source's own decision is clear."""
    source = SklearnSource(model)
    sample = fit_to_model(frame, names=source.feature_names, count=None)
    got = Runner(next(source.graphs(sample)).model, sample)(sample.frame)
    expected = source.predict(sample.frame)
    best = np.sort(expected["probabilities"], axis=1)
    decided = best[:, -1] - best[:, -2] > _ROUNDING
    assert decided.mean() > 0.8
    return int(((got["label"] != expected["label"]) & decided).sum())


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("kind", MODELS)
def test_no_label_flips(kind: str, data: str) -> None:
    random = np.random.default_rng(21)
    frame = DATA[data](random)
    ranks = frame.rank(pct=True)
    labels = (ranks["a"] + ranks["b"] * ranks["c"] + random.normal(0.0, 0.2, ROWS) > 0.75).to_numpy()
    model = MODELS[kind]().fit(frame[:TRAINED_ROWS], labels[:TRAINED_ROWS])
    assert _flips(model, frame) == 0


@pytest.mark.parametrize("encoder", ["one hot", "ordinal"])
@pytest.mark.parametrize("kind", MODELS)
def test_no_label_flips_on_missing_unseen_and_empty_values(kind: str, encoder: str) -> None:
    random = np.random.default_rng(22)
    frame = pd.DataFrame({"a": np.round(random.normal(0.0, 10.0, ROWS), 1), "b": random.integers(0, 9, ROWS)})
    frame["city"] = pd.Series(random.choice(["Rome", "Oslo", ""], ROWS), dtype=object)
    labels = (frame["a"] + 4 * frame["b"] + 9 * (frame["city"] == "") > 20).to_numpy()
    frame.loc[random.random(ROWS) < 0.2, "a"] = np.nan
    frame.loc[TRAINED_ROWS + np.arange(300), "city"] = " Rome"
    encoders = {
        "one hot": OneHotEncoder(handle_unknown="ignore"),
        "ordinal": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    }
    columns = ColumnTransformer(
        [("numbers", SimpleImputer(), ["a", "b"]), ("city", encoders[encoder], ["city"])], sparse_threshold=0.0
    )
    model = make_pipeline(columns, MODELS[kind]()).fit(frame[:TRAINED_ROWS], labels[:TRAINED_ROWS])
    assert _flips(model, frame) == 0
