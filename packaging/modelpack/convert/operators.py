"""Converters that replace skl2onnx's own, for one model at a time and without touching its registry.

skl2onnx's converters of these estimators lose what the source model keeps: double precision, missing values,
unseen categories, ties. Handing ours to `convert_sklearn` leaves every other user of the library alone.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from serinus.modelpack.convert import (
    boosted,
    catboost,
    discrete,
    discriminant,
    impute,
    isolation,
    lightgbm,
    neighbours,
    trees,
    xgboost,
)
from serinus.modelpack.convert.single_precision import in_single_precision


@dataclass(frozen=True, slots=True)
class Operator:
    """An estimator's converter: its nodes, the shapes and types of its outputs, and its outputs (None: skl2onnx's
    own)."""

    convert: Callable[[Any, Any, Any], None]
    infer_shape: Callable[[Any], None] | None = None
    parse: Callable[..., list[Any]] | None = None


def operators(*, products: bool = False) -> dict[type, Operator]:
    """Ours, by estimator class; ``products``: neighbours are found by matrix products."""
    from sklearn import discriminant_analysis, ensemble, preprocessing, tree
    from sklearn import impute as imputers

    forest_classifier = Operator(trees.convert_forest_classifier, trees.infer_classifier_shape)
    forest_regressor = Operator(trees.convert_forest_regressor, trees.infer_regressor_shape)
    return (
        {
            tree.DecisionTreeClassifier: forest_classifier,
            tree.ExtraTreeClassifier: forest_classifier,
            ensemble.RandomForestClassifier: forest_classifier,
            ensemble.ExtraTreesClassifier: forest_classifier,
            tree.DecisionTreeRegressor: forest_regressor,
            tree.ExtraTreeRegressor: forest_regressor,
            ensemble.RandomForestRegressor: forest_regressor,
            ensemble.ExtraTreesRegressor: forest_regressor,
            ensemble.GradientBoostingClassifier: Operator(
                trees.convert_boosting_classifier, trees.infer_classifier_shape
            ),
            ensemble.GradientBoostingRegressor: Operator(
                trees.convert_boosting_regressor, trees.infer_regressor_shape
            ),
            ensemble.HistGradientBoostingClassifier: Operator(
                trees.convert_histogram_classifier, trees.infer_classifier_shape
            ),
            ensemble.HistGradientBoostingRegressor: Operator(
                trees.convert_histogram_regressor, trees.infer_regressor_shape
            ),
            imputers.SimpleImputer: Operator(impute.convert, impute.infer_shape),
            preprocessing.OneHotEncoder: Operator(discrete.convert_one_hot, discrete.infer_one_hot_shape),
            preprocessing.OrdinalEncoder: Operator(discrete.convert_ordinal, discrete.infer_ordinal_shape),
            ensemble.IsolationForest: Operator(isolation.convert, isolation.infer_shape),
            discriminant_analysis.LinearDiscriminantAnalysis: Operator(
                discriminant.convert, trees.infer_classifier_shape
            ),
        }
        | {kind: Operator(in_single_precision(kind)) for kind in _networks()}
        | (_neighbours() if products else {})
        | _boosters()
    )


@contextmanager
def named_to_ensembles(ours: dict[type, Operator]) -> Iterator[None]:
    """During the block, ensembles, which look up their parts by name, find those that skl2onnx does not name."""
    from skl2onnx._supported_operators import sklearn_operator_name_map as names
    from skl2onnx.common._registration import RegisteredConverter, _converter_pool, _shape_calculator_pool

    added = {
        kind: f"Serinus{kind.__name__}" for kind, item in ours.items() if kind not in names and item.infer_shape
    }
    names.update(added)
    _converter_pool.update({alias: RegisteredConverter(ours[kind].convert, {}) for kind, alias in added.items()})
    _shape_calculator_pool.update({alias: ours[kind].infer_shape for kind, alias in added.items()})
    try:
        yield
    finally:
        for kind, alias in added.items():
            for pool, key in ((names, kind), (_converter_pool, alias), (_shape_calculator_pool, alias)):
                pool.pop(key, None)


def _parse_classifier(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:
    """Labels and probabilities: not every library's classifier derives from scikit-learn's classes."""
    del custom_parsers
    from skl2onnx.common.data_types import Int64TensorType, guess_tensor_type

    operator = scope.declare_local_operator(None, model)
    operator.inputs = inputs
    operator.outputs.append(scope.declare_local_variable("label", Int64TensorType()))
    operator.outputs.append(scope.declare_local_variable("probabilities", guess_tensor_type(inputs[0].type)))
    return list(operator.outputs)


def _boosters() -> dict[type, Operator]:
    """The scikit-learn wrappers of imported boosting libraries: only an imported one can have built the model."""
    converters: dict[type, Operator] = {}
    for library, read, classifiers, regressors in (
        (
            "xgboost",
            xgboost.read_wrapper,
            ("XGBClassifier", "XGBRFClassifier"),
            ("XGBRegressor", "XGBRFRegressor"),
        ),
        ("lightgbm", lightgbm.read_wrapper, ("LGBMClassifier",), ("LGBMRegressor", "LGBMRanker")),
        ("catboost", catboost.read_model, ("CatBoostClassifier",), ("CatBoostRegressor",)),
    ):
        module = sys.modules.get(library)
        if module is None:
            continue
        for name in classifiers:
            convert = boosted.convert_boosted_classifier(read)
            converters[getattr(module, name)] = Operator(convert, trees.infer_classifier_shape, _parse_classifier)
        for name in (*regressors, *(("XGBRanker",) if library == "xgboost" else ())):
            convert = boosted.convert_boosted_regressor(read)
            converters[getattr(module, name)] = Operator(convert, boosted.infer_boosted_regressor_shape)
    return converters


def _neighbours() -> dict[type, Operator]:
    from sklearn import neighbors

    return {
        neighbors.KNeighborsClassifier: Operator(neighbours.convert_classifier, trees.infer_classifier_shape),
        neighbors.KNeighborsRegressor: Operator(neighbours.convert_regressor),
    }


def computes_in_single(model: Any) -> bool:
    """Whether the estimator's arithmetic in the graph is in single precision, whatever comes before it."""
    return type(model) in _networks()


def _networks() -> tuple[type, ...]:
    """Estimators that lose nothing by single precision, and gain half their size."""
    from sklearn import neural_network

    return (neural_network.MLPClassifier, neural_network.MLPRegressor)
