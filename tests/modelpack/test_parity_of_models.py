"""Every kind of model gives, as a bundle, what it gives in scikit-learn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from serinus.lambda_handlers.contract.bundle import read_manifest
from serinus.modelpack.request import PackageResult

pytestmark = pytest.mark.slow

Package = Callable[..., PackageResult]

CLASSIFIERS = {
    "forest": lambda: RandomForestClassifier(20, random_state=0),
    "shallow forest": lambda: RandomForestClassifier(20, max_depth=3, random_state=0),
    "extra trees": lambda: ExtraTreesClassifier(10, random_state=0),
    "single tree": lambda: DecisionTreeClassifier(random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=20, random_state=0),
    "histogram boosting": lambda: HistGradientBoostingClassifier(max_iter=20),
    "network": lambda: make_pipeline(
        StandardScaler(), MLPClassifier((16,), solver="lbfgs", alpha=1.0, max_iter=2000, random_state=0)
    ),
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "without probabilities": lambda: make_pipeline(StandardScaler(), RidgeClassifier()),
}
REGRESSORS = {
    "forest": lambda: RandomForestRegressor(20, random_state=0),
    "single tree": lambda: DecisionTreeRegressor(random_state=0),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=20, random_state=0),
    "histogram boosting": lambda: HistGradientBoostingRegressor(max_iter=20),
    "linear": lambda: make_pipeline(StandardScaler(), Ridge()),
    "support vectors, single precision only": lambda: make_pipeline(StandardScaler(), SVR()),
}
LABELS: dict[str, Callable[[Any], Any]] = {
    "two numbers": lambda score: (score > 0).astype(int),
    "three numbers": lambda score: np.digitize(score, [-5.0, 5.0]) + 1,
    "strings": lambda score: np.array(["low", "middle", "high"])[np.digitize(score, [-5.0, 5.0])],
    "booleans": lambda score: score > 0,
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classifier_keeps_every_label_and_probability(
    kind: str, labels: str, numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    model = CLASSIFIERS[kind]().fit(numbers, LABELS[labels](score))
    packed = pack(model, numbers)
    assert packed.parity.labels_equal == 1.0
    assert packed.parity.max_abs_difference < (2e-5 if kind == "network" else 1e-6)
    signature = read_manifest(packed.bundle).signature
    assert signature.classes == tuple(label.item() for label in model.classes_)
    assert [output.name for output in signature.outputs] == (
        ["label", "probabilities"] if hasattr(model, "predict_proba") else ["label"]
    )
    assert signature.outputs[0].dtype == {"strings": "string", "booleans": "bool"}.get(labels, "int64")


@pytest.mark.parametrize("kind", REGRESSORS)
def test_regressor_keeps_every_value(kind: str, numbers: pd.DataFrame, score: Any, pack: Package) -> None:
    packed = pack(REGRESSORS[kind]().fit(numbers, score), numbers)
    assert packed.parity.max_abs_difference < 1e-4
    assert read_manifest(packed.bundle).signature.outputs[0].shape == (None,)


@pytest.mark.parametrize("kind", [LinearRegression, lambda: RandomForestRegressor(5, random_state=0)])
def test_several_targets_are_a_row_each(
    kind: Callable[[], Any], numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    packed = pack(kind().fit(numbers, np.c_[score, -2.0 * score]), numbers)
    assert packed.parity.max_abs_difference < 1e-4
    assert read_manifest(packed.bundle).signature.outputs[0].shape == (None, 2)


@pytest.mark.parametrize("kind", ["forest", "histogram boosting", "single tree"])
def test_trees_send_missing_values_where_the_source_does(
    kind: str, numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    holed = numbers.mask(np.random.default_rng(3).random(numbers.shape) < 0.1)
    packed = pack(CLASSIFIERS[kind]().fit(holed, score > 0), holed)
    assert packed.parity.labels_equal == 1.0
    features = read_manifest(packed.bundle).signature.features
    assert {feature.missing for feature in features} == {"accepted"}


def test_forest_of_an_even_number_of_trees_breaks_ties_as_the_source_does(
    numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    model = RandomForestClassifier(2, random_state=0).fit(numbers, score > 0)
    ties = (model.predict_proba(numbers)[:, 1] == 0.5).sum()
    assert ties > 20
    assert pack(model, numbers).parity.max_abs_difference == 0.0


def test_model_trained_on_a_bare_array_takes_its_names_from_the_header(
    numbers: pd.DataFrame, score: Any, pack: Package
) -> None:
    packed = pack(LogisticRegression().fit(numbers.to_numpy(), score > 0), numbers)
    assert read_manifest(packed.bundle).signature.feature_names() == tuple("abcdef")


def _columns(encoder: Any, imputer: Any = None) -> ColumnTransformer:
    strings = make_pipeline(imputer, encoder) if imputer else encoder
    return ColumnTransformer(
        [
            (
                "numbers",
                make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()),
                ["a", "b"],
            ),
            ("strings", strings, ["city", "plan"]),
            ("counts", OneHotEncoder(handle_unknown="ignore"), ["visits", "member"]),
        ]
    )


ENCODERS = {
    "imputed, first dropped": (OneHotEncoder(drop="first"), SimpleImputer(strategy="most_frequent")),
    "imputed by a constant": (OneHotEncoder(), SimpleImputer(strategy="constant", fill_value="none")),
    "missing is a category": (OneHotEncoder(handle_unknown="ignore"), None),
    "infrequent together": (OneHotEncoder(min_frequency=0.31, handle_unknown="infrequent_if_exist"), None),
    "ordinal": (
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
        None,
    ),
}


@pytest.mark.parametrize("encoders", ENCODERS)
@pytest.mark.parametrize("last", [LogisticRegression, lambda: RandomForestClassifier(10, random_state=0)])
def test_mixed_columns_keep_their_meaning(
    encoders: str, last: Callable[[], Any], mixed: pd.DataFrame, score: Any, pack: Package
) -> None:
    model = make_pipeline(_columns(*ENCODERS[encoders]), last()).fit(mixed, score > 0)
    packed = pack(model, mixed)
    assert packed.parity.labels_equal == 1.0
    assert packed.parity.max_abs_difference < 1e-12
    assert packed.parity.rows > len(mixed)


def test_histogram_boosting_behind_an_encoder_that_gives_nan(
    mixed: pd.DataFrame, score: Any, pack: Package
) -> None:
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = ColumnTransformer(
        [("strings", encoder, make_column_selector(dtype_include=object))], remainder="passthrough"
    )
    model = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=10)).fit(mixed, score > 0)
    assert pack(model, mixed).parity.max_abs_difference < 1e-12
