"""Kinds of models by library: sizes and latencies beside the source; then every estimator, packaged or why not.

Trained and measured on data that ships with scikit-learn, one thread, the source library in the same run. Ratios
are bundle over source, below 1 is better; labels_equal and max_difference compare their answers. For forests also
TreeEnsemble v5 over skl2onnx's plain conversion. "no" comes with the error that a person sees.

"Every estimator" is each classifier and regressor of scikit-learn's all_estimators() with default parameters, each
transformer before a linear and a boosting model, and each objective, kind of tree and mode of missing values of
three boosting libraries. Packaged is what equals its source on 500 rows outside the sample: labels, and numbers
within 1e-9 where a graph of doubles stands for doubles, else within the card's tolerance.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from catalogue.children import measure_all, print_outcomes
from lab.kinds import Kind, kinds
from sklearn import datasets
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils import all_estimators
from table import Row, main

from serinus.modelpack.errors import ModelpackError
from serinus.modelpack.package import package
from serinus.modelpack.request import PackageRequest

#: scikit-learn's, by the data they learn from.
CLASSIFIERS = [
    "AdaBoostClassifier",
    "BaggingClassifier",
    "BernoulliNB",
    "CalibratedClassifierCV",
    "DecisionTreeClassifier",
    "ExtraTreesClassifier",
    "GaussianNB",
    "GradientBoostingClassifier",
    "HistGradientBoostingClassifier",
    "KNeighborsClassifier",
    "LinearDiscriminantAnalysis",
    "LinearSVC",
    "LogisticRegression",
    "MLPClassifier",
    "MultinomialNB",
    "NuSVC",
    "Perceptron",
    "QuadraticDiscriminantAnalysis",
    "RandomForestClassifier",
    "RidgeClassifier",
    "SGDClassifier",
    "SVC",
    "NearestCentroid",
]
REGRESSORS = [
    "BaggingRegressor",
    "BayesianRidge",
    "DecisionTreeRegressor",
    "ElasticNet",
    "ExtraTreesRegressor",
    "GradientBoostingRegressor",
    "HistGradientBoostingRegressor",
    "HuberRegressor",
    "KNeighborsRegressor",
    "Lasso",
    "LinearRegression",
    "MLPRegressor",
    "PLSRegression",
    "PoissonRegressor",
    "RandomForestRegressor",
    "Ridge",
    "SVR",
    "KernelRidge",
]
OTHERS = [
    "GaussianMixture",
    "IsolationForest",
    "KMeans",
    "LocalOutlierFactor",
    "OneClassSVM",
    "PCA",
    "TruncatedSVD",
    "Birch",
]
SETTINGS: dict[str, dict[str, Any]] = {
    "MLPClassifier": {"hidden_layer_sizes": (64,), "max_iter": 60},
    "MLPRegressor": {"hidden_layer_sizes": (64,), "max_iter": 60},
    "GaussianMixture": {"n_components": 3},
    "LocalOutlierFactor": {"novelty": True},
    "KMeans": {"n_clusters": 4, "n_init": 1},
    "QuadraticDiscriminantAnalysis": {"reg_param": 0.1},
    "PCA": {"n_components": 4},
    "TruncatedSVD": {"n_components": 4},
}


def cases() -> Iterator[tuple[str, str, Callable[[], Any], str]]:
    """Library, kind, the unfitted model, and the data it takes."""
    known: dict[str, type[BaseEstimator]] = dict(all_estimators())
    from sklearn.mixture import GaussianMixture

    known["GaussianMixture"] = GaussianMixture
    for names, data in ((CLASSIFIERS, "classes"), (REGRESSORS, "numbers"), (OTHERS, "rows")):
        for name in names:
            yield "scikit-learn", name, lambda name=name: _sklearn(known[name], name), data
    yield "scikit-learn", "RandomForestClassifier of depth 6", _shallow_forest, "classes"
    for library, made in (("xgboost", _xgboost), ("lightgbm", _lightgbm), ("catboost", _catboost)):
        for data in ("classes", "numbers"):
            yield library, f"boosting of {data}", lambda made=made, data=data: made(data), data
            scaled = lambda made=made, data=data: make_pipeline(StandardScaler(), made(data))  # noqa: E731
            yield library, f"pipeline of {data}", scaled, data


def _sklearn(kind: type[Any], name: str) -> Any:
    settings = dict(SETTINGS.get(name, {}))
    if "random_state" in kind().get_params():
        settings["random_state"] = 0
    return make_pipeline(MinMaxScaler() if name.endswith("NB") else StandardScaler(), kind(**settings))


def _shallow_forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(max_depth=6, random_state=0)


def _xgboost(data: str) -> Any:
    import xgboost

    kind = xgboost.XGBClassifier if data == "classes" else xgboost.XGBRegressor
    return kind(n_estimators=60, n_jobs=1)


def _lightgbm(data: str) -> Any:
    import lightgbm

    kind = lightgbm.LGBMClassifier if data == "classes" else lightgbm.LGBMRegressor
    return kind(n_estimators=60, n_jobs=1, verbose=-1)


def _catboost(data: str) -> Any:
    import catboost

    kind = catboost.CatBoostClassifier if data == "classes" else catboost.CatBoostRegressor
    return kind(iterations=60, thread_count=1, verbose=0, allow_writing_files=False)


def _data(name: str) -> tuple[pd.DataFrame, Any]:
    load = datasets.load_breast_cancer if name == "classes" else datasets.load_diabetes
    frame, target = load(return_X_y=True, as_frame=True)
    frame.columns = [str(column).replace(" ", "_") for column in frame.columns]
    return frame, None if name == "rows" else target


def arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this benchmark."""
    parser.add_argument("--every", action="store_true", help="only the section of every estimator")
    parser.add_argument("--inside", nargs="+", metavar=("KIND", "NAME"), help=argparse.SUPPRESS)


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Sizes and latencies of a few models, then every estimator."""
    if chosen.inside:
        print_outcomes(chosen.inside[0], chosen.inside[1:])
        raise SystemExit
    return [*([] if chosen.every else _measure_fixed()), *measure_all(__file__)]


def _measure_fixed() -> Iterator[Row]:
    for library, kind, make, name in cases():
        yield _row(Kind(library, kind, name, _pickled(make)))
    for kind in kinds():
        yield _row(kind)


def _pickled(make: Callable[[], Any]) -> Callable[[Path, pd.DataFrame, Any], tuple[Path, Any]]:
    def save(folder: Path, frame: pd.DataFrame, target: Any) -> tuple[Path, Any]:
        model = make().fit(frame) if target is None else make().fit(frame, target)
        joblib.dump(model, folder / "model.joblib")
        return folder / "model.joblib", _prediction(model)

    return save


def _prediction(model: Any) -> Any:
    return getattr(model, "predict_proba", None) or getattr(model, "predict", None) or model.transform


def _row(kind: Kind) -> Row:
    row = {"library": kind.framework, "kind": kind.name}
    frame, target = _data(kind.data)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        try:
            place, predict = kind.save(Path(folder), frame, target)
            return row | _measure(place, predict, frame, Path(folder))
        except ImportError as error:
            return row | {"converted": f"not measured: {error}"}
        except ModelpackError as error:
            return row | {"converted": f"no: {str(error).splitlines()[0]}"}


def _measure(place: Path, predict: Any, frame: pd.DataFrame, folder: Path) -> Row:
    frame.to_parquet(folder / "sample.parquet")
    packed = package(PackageRequest(place, "bench", folder / "sample.parquet", folder / "project"))
    line = next(line for line in packed.precisions if line.chosen)
    one, hundred = _fastest_us(lambda: predict(frame.head(1))), _fastest_us(lambda: predict(frame.head(100)))
    return {
        "converted": "yes",
        "precision": packed.precision,
        "size_ratio": packed.graph_bytes / packed.source_bytes,
        "one_row_ratio": (line.one_row_us or 0.0) / one,
        "hundred_rows_ratio": (line.hundred_rows_us or 0.0) / hundred,
        "labels_equal": packed.parity.labels_equal,
        "max_difference": packed.parity.max_abs_difference,
        **(_forest(joblib.load(place), frame, packed) if place.suffix == ".joblib" else {}),
    }


def _forest(model: Any, frame: pd.DataFrame, packed: Any) -> Row:
    """Size and hundred-row latency of TreeEnsemble v5 over skl2onnx's plain conversion, for forests."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    if "Forest" not in type(last).__name__ or "Isolation" in type(last).__name__:
        return {}
    import onnxruntime
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    options = {id(model): {"zipmap": False}} if hasattr(last, "classes_") else None
    types = [("X", FloatTensorType([None, frame.shape[1]]))]
    plain = to_onnx(model, initial_types=types, options=options).SerializeToString()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(plain, settings, providers=["CPUExecutionProvider"])
    ours = onnxruntime.InferenceSession(
        (packed.bundle / "model.onnx").read_bytes(), settings, providers=["CPUExecutionProvider"]
    )
    rows = frame.head(100)
    single, double = rows.to_numpy(dtype=np.float32), rows.to_numpy(dtype=np.float64)
    theirs_us = _fastest_us(lambda: session.run(None, {"X": single}))
    ours_us = _fastest_us(lambda: ours.run(None, {"numbers": double}))
    return {"v5_size_over_plain": packed.graph_bytes / len(plain), "v5_latency_over_plain": ours_us / theirs_us}


def _fastest_us(call: Callable[[], object], times: int = 15) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begun)
    return min(taken) * 1e6


if __name__ == "__main__":
    main("models", measure, note=(__doc__ or "").split("\n\n")[0], arguments=arguments)
