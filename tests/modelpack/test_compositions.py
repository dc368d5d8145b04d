"""Ways in which scikit-learn composes estimators: each graph equals its source on other rows."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import Birch, FeatureAgglomeration, KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA, FactorAnalysis, FastICA, KernelPCA, SparsePCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    BaggingRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomTreesEmbedding,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SelectKBest, SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import Nystroem, PolynomialCountSketch, RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import CategoricalNB, GaussianNB
from sklearn.neighbors import NearestCentroid
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.semi_supervised import LabelPropagation, LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier

from serinus.modelpack.errors import ConversionError
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.sample import fit_to_model
from serinus.modelpack.sources.sklearn import SklearnSource

RANDOM = np.random.default_rng(0)
ROWS = 300
NUMBERS = pd.DataFrame(RANDOM.normal(size=(ROWS, 5)), columns=list("abcde"))
MIXED = NUMBERS.assign(city=RANDOM.choice(["x", "y", "Zürich"], ROWS), flag=NUMBERS["a"] > 0)
GAPS = NUMBERS.mask(RANDOM.random(NUMBERS.shape) < 0.1)
SCORE = NUMBERS["a"] + NUMBERS["b"] ** 2 + RANDOM.normal(size=ROWS) * 0.4
TWO = (SCORE > 1).astype(int).to_numpy()
THREE = np.array(["low", "middle", "high"])[np.digitize(SCORE, [0.3, 1.5])]
VALUE = np.exp(SCORE / 3).to_numpy()
LABELS = np.column_stack([TWO, NUMBERS["c"] > 0, NUMBERS["d"] > 0.5]).astype(int)
WORDS = np.column_stack([THREE, np.where(TWO, "p", "q")])
PAIRS = np.column_stack([SCORE, NUMBERS["c"]])

COLUMNS = ColumnTransformer(
    [
        ("scaled", StandardScaler(), ["a", "b"]),
        ("coded", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ("left out", "drop", ["c"]),
        ("kept", "passthrough", [3]),
    ],
    remainder="drop",
)
LOGISTIC = LogisticRegression()
FOREST = RandomForestClassifier(5, max_depth=4, random_state=0)
BOOSTED = HistGradientBoostingClassifier(max_iter=4)
TREE = DecisionTreeClassifier(max_depth=3)
TREES = DecisionTreeRegressor(max_depth=3)
HALVES = np.round(VALUE * 2) / 2
Case = tuple[Any, pd.DataFrame, Any]

CASES: dict[str, Case] = {
    "weights of hard votes as a list": (
        VotingClassifier([("a", LOGISTIC), ("b", TREE), ("c", "drop")], weights=[1, 2, 3]),
        NUMBERS,
        THREE,
    ),
    "weights of soft votes as a list": (
        VotingClassifier([("a", LOGISTIC), ("b", GaussianNB())], voting="soft", weights=[1, 2]),
        NUMBERS,
        THREE,
    ),
    "weights of values": (VotingRegressor([("a", Ridge()), ("b", Ridge(9))], weights=[1, 3]), NUMBERS, VALUE),
    "steps that pass through": (make_pipeline(StandardScaler(), "passthrough", None, LOGISTIC), NUMBERS, TWO),
    "last step that passes through": (make_pipeline(StandardScaler(), "passthrough"), NUMBERS, TWO),
    "columns by name and number": (make_pipeline(COLUMNS, LOGISTIC), MIXED, THREE),
    "columns by negative number and mask": (
        make_pipeline(
            ColumnTransformer(
                [
                    ("a", StandardScaler(), [-2, 0]),
                    ("b", "passthrough", np.array([False, True, False, False, False])),
                ]
            ),
            LOGISTIC,
        ),
        NUMBERS,
        TWO,
    ),
    "columns by dtype and slice": (
        make_pipeline(
            ColumnTransformer(
                [
                    ("a", StandardScaler(), make_column_selector(dtype_include=float)),
                    ("b", OrdinalEncoder(), slice("city", "flag")),
                ]
            ),
            BOOSTED,
        ),
        MIXED,
        TWO,
    ),
    "weights of columns": (
        make_pipeline(
            ColumnTransformer(
                [("a", StandardScaler(), ["a"]), ("b", PCA(2), ["b", "c", "d"])], transformer_weights={"b": 0.5}
            ),
            LOGISTIC,
        ),
        NUMBERS,
        TWO,
    ),
    "columns of columns": (
        make_pipeline(
            ColumnTransformer(
                [
                    (
                        "inner",
                        make_pipeline(
                            ColumnTransformer([("x", StandardScaler(), ["a"])], remainder="passthrough"), PCA(2)
                        ),
                        ["a", "b", "c"],
                    )
                ],
                remainder=MinMaxScaler(),
            ),
            LOGISTIC,
        ),
        NUMBERS,
        TWO,
    ),
    "union": (
        make_pipeline(
            FeatureUnion(
                [("a", StandardScaler()), ("b", PCA(2)), ("c", "passthrough"), ("d", "drop")],
                transformer_weights={"b": 3},
            ),
            LOGISTIC,
        ),
        NUMBERS,
        THREE,
    ),
    "search inside": (make_pipeline(StandardScaler(), GridSearchCV(LOGISTIC, {"C": [0.1, 1]})), NUMBERS, THREE),
    "random search inside": (
        make_pipeline(StandardScaler(), RandomizedSearchCV(LOGISTIC, {"C": [0.1, 1]}, n_iter=2, random_state=0)),
        NUMBERS,
        TWO,
    ),
    "ensemble around columns": (CalibratedClassifierCV(make_pipeline(COLUMNS, LOGISTIC), cv=2), MIXED, TWO),
    "elimination inside": (make_pipeline(RFE(LOGISTIC, n_features_to_select=2), LOGISTIC), NUMBERS, THREE),
    "elimination alone": (RFECV(LOGISTIC, min_features_to_select=2, cv=2), NUMBERS, THREE),
    "elimination of a regressor": (RFE(Ridge(), n_features_to_select=2), NUMBERS, VALUE),
    "selection by a model": (make_pipeline(SelectFromModel(FOREST), LOGISTIC), NUMBERS, TWO),
    "selection in sequence": (
        make_pipeline(SequentialFeatureSelector(LOGISTIC, n_features_to_select=2, cv=2), LOGISTIC),
        NUMBERS,
        TWO,
    ),
    "frozen step": (
        make_pipeline(
            SelectKBest(k=2), FrozenEstimator(StandardScaler().fit(NUMBERS[["a", "b"]].to_numpy())), LOGISTIC
        ),
        NUMBERS,
        TWO,
    ),
    "calibrated frozen": (CalibratedClassifierCV(FrozenEstimator(FOREST.fit(NUMBERS, TWO))), NUMBERS, TWO),
    "calibrated once": (CalibratedClassifierCV(LOGISTIC, method="isotonic", ensemble=False, cv=2), NUMBERS, THREE),
    "logarithm of the target": (
        TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1),
        NUMBERS,
        VALUE,
    ),
    "scaled targets": (TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), NUMBERS, PAIRS),
    "self-training": (SelfTrainingClassifier(LOGISTIC), NUMBERS, np.where(RANDOM.random(ROWS) < 0.3, -1, TWO)),
    "stacked": (
        StackingClassifier(
            [("a", LOGISTIC), ("b", FOREST), ("c", LinearSVC()), ("d", "drop")], passthrough=True, cv=2
        ),
        NUMBERS,
        THREE,
    ),
    "stacked two classes": (
        StackingClassifier([("a", LOGISTIC), ("b", GaussianNB())], cv=2),
        NUMBERS,
        np.where(TWO, "no", "yes"),
    ),
    "stacked prefit": (
        StackingClassifier([("a", LogisticRegression().fit(NUMBERS, TWO))], cv="prefit"),
        NUMBERS,
        TWO,
    ),
    "stacked values": (
        StackingRegressor([("a", Ridge()), ("b", Ridge(9))], cv=2, passthrough=True),
        NUMBERS,
        VALUE,
    ),
    "bagged": (BaggingClassifier(LOGISTIC, n_estimators=3, max_features=0.6, random_state=0), NUMBERS, THREE),
    "bagged without probabilities": (
        BaggingClassifier(LinearSVC(), n_estimators=3, random_state=0),
        NUMBERS,
        THREE,
    ),
    "bagged values": (BaggingRegressor(Ridge(), n_estimators=3, max_features=0.7, random_state=0), NUMBERS, VALUE),
    "boosted by weights": (AdaBoostClassifier(n_estimators=3, random_state=0), NUMBERS, THREE),
    "boosted by weights, two classes": (AdaBoostClassifier(n_estimators=3, random_state=0), NUMBERS, TWO),
    "other estimators boosted": (AdaBoostClassifier(LOGISTIC, n_estimators=3, random_state=0), NUMBERS, THREE),
    "bagged trees": (BaggingClassifier(n_estimators=3, max_features=0.6, random_state=0), NUMBERS, THREE),
    "bagged trees' values": (
        BaggingRegressor(TREES, n_estimators=4, max_features=0.6, random_state=0),
        NUMBERS,
        HALVES,
    ),
    "sparse zeros before XGBoost": (
        make_pipeline(KBinsDiscretizer(quantile_method="averaged_inverted_cdf"), XGBClassifier(n_estimators=3)),
        NUMBERS,
        TWO,
    ),
    "categories by their whole part": (CategoricalNB(min_categories=9), NUMBERS[["a"]].abs().round(1), TWO),
    "embedded in trees": (make_pipeline(RandomTreesEmbedding(3, random_state=0), LOGISTIC), NUMBERS, TWO),
    "chain by probability": (ClassifierChain(LOGISTIC, chain_method="predict_proba"), NUMBERS, LABELS),
    "chain by decision": (ClassifierChain(LOGISTIC, chain_method="decision_function"), NUMBERS, LABELS),
    "chain of values": (RegressorChain(Ridge(), order=[1, 0]), NUMBERS, PAIRS),
    "several values": (MultiOutputRegressor(Ridge()), NUMBERS, PAIRS),
    "three labels by a network": (MLPClassifier((4,), max_iter=9, random_state=0), NUMBERS, LABELS),
    "two labels by a network": (MLPClassifier((4,), max_iter=9, random_state=0), NUMBERS, LABELS[:, :2]),
    "several labels by ridge regression": (RidgeClassifier(), NUMBERS, LABELS),
    "nearest neighbours' values": (make_pipeline(KNNImputer(), LOGISTIC), GAPS, TWO),
    "nearest neighbours' values by distance": (
        make_pipeline(KNNImputer(weights="distance", add_indicator=True), LOGISTIC),
        GAPS,
        TWO,
    ),
    "values by regression": (make_pipeline(IterativeImputer(max_iter=3), LOGISTIC), GAPS, TWO),
    "indicators": (
        make_pipeline(FeatureUnion([("a", SimpleImputer()), ("b", MissingIndicator())]), LOGISTIC),
        GAPS,
        TWO,
    ),
    "strings as a booster's categories": (
        HistGradientBoostingClassifier(max_iter=5, categorical_features=["city"]),
        MIXED.assign(city=MIXED["city"].where(RANDOM.random(ROWS) < 0.9)),
        THREE,
    ),
    "objects before a booster's categories": (
        make_pipeline(
            ColumnTransformer([("a", OrdinalEncoder(), ["city"]), ("b", "passthrough", ["flag", "b"])]),
            HistGradientBoostingClassifier(max_iter=5, categorical_features=[0]),
        ),
        MIXED.astype({"city": object}),
        TWO,
    ),
}
CASES |= {
    f"{method} calibration of {type(inside).__name__}, {len(set(target))} classes": (
        CalibratedClassifierCV(inside, method=method, cv=2),
        NUMBERS,
        target,
    )
    for method in ("sigmoid", "isotonic", "temperature")
    for inside in (LOGISTIC, LinearSVC(), FOREST, BOOSTED, SVC(), GradientBoostingClassifier(n_estimators=3))
    for target in (TWO, THREE)
}
CASES |= {
    f"{type(outer(inside)).__name__} of {type(inside).__name__}, {name}": (outer(inside), NUMBERS, target)
    for inside in (LOGISTIC, FOREST, SVC(), BOOSTED)
    for outer, name, target in (
        (OneVsRestClassifier, "several labels", LABELS),
        (OneVsRestClassifier, "classes", THREE),
        (OneVsRestClassifier, "two classes", TWO),
        (OneVsOneClassifier, "classes", THREE),
        (OneVsOneClassifier, "two classes", TWO),
        (lambda inside: OutputCodeClassifier(inside, random_state=0), "classes", THREE),
        (MultiOutputClassifier, "several labels", LABELS),
        (MultiOutputClassifier, "words", WORDS),
        (ClassifierChain, "several labels", LABELS),
    )
}
CASES |= {
    f"target through {type(transformer).__name__}": (
        TransformedTargetRegressor(Ridge(), transformer=transformer),
        NUMBERS,
        VALUE,
    )
    for transformer in (
        MinMaxScaler(),
        RobustScaler(),
        PowerTransformer(),
        PowerTransformer(method="box-cox"),
        QuantileTransformer(n_quantiles=50),
        make_pipeline(StandardScaler(), MinMaxScaler()),
    )
}
CASES |= {
    f"encoded by {name}": (
        make_pipeline(
            ColumnTransformer([("a", TargetEncoder(), ["city", "flag"])], remainder="passthrough"), estimator
        ),
        MIXED,
        target,
    )
    for name, estimator, target in (
        ("a target of two classes", FOREST, TWO),
        ("a target of three", FOREST, THREE),
        ("a value", Ridge(), VALUE),
    )
}
CASES |= {
    f"numpy.{function.__name__}": (
        make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(function), LOGISTIC),
        NUMBERS,
        TWO,
    )
    for function in (np.log1p, np.sqrt, np.square, np.cbrt, np.sign, np.tanh, np.sinh, np.log10, np.floor, np.rint)
}
CASES |= {
    f"{type(step).__name__} {number}": (make_pipeline(step, LOGISTIC), NUMBERS, THREE)
    for number, step in enumerate(
        (
            SplineTransformer(extrapolation="linear", include_bias=False),
            SplineTransformer(extrapolation="periodic", degree=2),
            SplineTransformer(extrapolation="continue"),
            QuantileTransformer(n_quantiles=40, output_distribution="normal"),
            QuantileTransformer(n_quantiles=40),
            PowerTransformer(),
            KBinsDiscretizer(encode="ordinal", quantile_method="averaged_inverted_cdf"),
            Normalizer("max"),
            Binarizer(threshold=0.1),
            MaxAbsScaler(clip=True),
            PolynomialCountSketch(degree=3, coef0=1, n_components=8, random_state=0),
            Nystroem(n_components=9, random_state=0),
            RBFSampler(n_components=9, random_state=0),
            FastICA(n_components=2, random_state=0),
            FactorAnalysis(n_components=2),
            FeatureAgglomeration(2),
            KMeans(3, n_init=1, random_state=0),
            Birch(n_clusters=3),
            LinearDiscriminantAnalysis(),
        )
    )
}
CASES |= {
    f"{type(model).__name__} {number}": (model, NUMBERS, target)
    for number, (model, target) in enumerate(
        (
            (SVC(decision_function_shape="ovo"), THREE),
            (SVC(kernel="poly", degree=2, coef0=1), TWO),
            (SVC(kernel="sigmoid", break_ties=True), THREE),
            (NuSVC(nu=0.2), TWO),
            (SVR(), VALUE),
            (KernelRidge(kernel="laplacian"), VALUE),
            (LabelSpreading(gamma=0.5), TWO),
            (LabelSpreading(kernel="knn", n_neighbors=4), THREE),
            (LabelPropagation(kernel="knn", n_neighbors=200), TWO),
            (NearestCentroid(priors="empirical"), THREE),
            (NearestCentroid(metric="manhattan"), THREE),
            (DummyClassifier(), THREE),
            (PLSRegression(), PAIRS),
        )
    )
}
CASES |= {
    f"splines without missing values, {extrapolation}": (
        make_pipeline(SplineTransformer(extrapolation=extrapolation, handle_missing="zeros"), LOGISTIC),
        GAPS,
        THREE,
    )
    for extrapolation in ("constant", "linear", "continue", "periodic")
}
CASES |= {
    f"{kernel} components before trees": (
        make_pipeline(KernelPCA(3, kernel=kernel), GradientBoostingClassifier(n_estimators=4)),
        NUMBERS,
        TWO,
    )
    for kernel in ("linear", "poly", "rbf", "sigmoid", "cosine")
}
#: Whole numbers lie on both sides of thresholds halfway between them, where the last bit decides.
CASES["sparse components before trees"] = (
    make_pipeline(SparsePCA(3, alpha=0.5, random_state=0), HistGradientBoostingClassifier(max_iter=6)),
    NUMBERS.mul(10).round(),
    TWO,
)
CASES["numpy.clip"] = (
    make_pipeline(FunctionTransformer(np.clip, kw_args={"a_min": -1, "a_max": None}), LOGISTIC),
    NUMBERS,
    TWO,
)


def _other_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows between and beyond those of ``table``."""
    other = table.sample(frac=1.0, random_state=1).reset_index(drop=True)
    for name in other.columns:
        if other[name].dtype.kind == "f":
            other[name] = other[name] * 1.7 + 0.01
    return other


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", CASES)
def test_graph_equals_its_source(name: str) -> None:
    model, table, target = CASES[name]
    source = SklearnSource(model.fit(table, target))
    sample = fit_to_model(table, names=source.feature_names, count=source.feature_count)
    other = fit_to_model(_other_rows(table), names=source.feature_names, count=source.feature_count)
    graph = next(iter(source.graphs(sample)))
    expected, outputs = source.predict(other.frame), Runner(graph.model, sample)(other.frame)
    assert list(outputs) == list(expected)
    for output, values in expected.items():
        if values.dtype.kind in "OUib":
            assert outputs[output].tolist() == values.tolist(), output
        else:
            # XGBoost itself computes in single precision.
            rounded = 1e-9 if graph.precision == "float64" and "XGB" not in source.estimator else 1e-5
            np.testing.assert_allclose(outputs[output], values, rtol=rounded, atol=rounded)


REFUSED: dict[str, tuple[Any, str]] = {
    "function of one's own": (
        make_pipeline(FunctionTransformer(np.nan_to_num), LOGISTIC),
        r"FunctionTransformer \(step 'functiontransformer'\) .*function is numpy\.nan_to_num",
    ),
    "step in a step": (
        make_pipeline(FeatureUnion([("inner", make_pipeline(FunctionTransformer(np.sort)))]), LOGISTIC),
        r"step 'featureunion > inner > functiontransformer'",
    ),
    "normal quantiles of a target": (
        TransformedTargetRegressor(
            Ridge(), transformer=QuantileTransformer(n_quantiles=9, output_distribution="normal")
        ),
        r"QuantileTransformer \(step 'transformer'\)",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusal_names_the_step_and_its_reason(name: str) -> None:
    model, said = REFUSED[name]
    source = SklearnSource(model.fit(NUMBERS, TWO))
    sample = fit_to_model(NUMBERS, names=source.feature_names, count=source.feature_count)
    with pytest.raises(ConversionError, match=said) as caught:
        next(iter(source.graphs(sample)))
    assert re.fullmatch(
        r"\w+ \(step '[\w >]+'\) cannot be converted to ONNX: [^.]+(\.[^.]+)*\.", str(caught.value)
    )
