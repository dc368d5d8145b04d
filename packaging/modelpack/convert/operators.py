"""Converters that replace skl2onnx's own, for one model at a time and without touching its registry.

skl2onnx's converters of these estimators lose what the source model keeps: double precision, missing values,
unseen categories, ties. Handing ours to `convert_sklearn` leaves every other user of the library alone.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modelpack.convert import discrete, impute, trees
from modelpack.convert.single import in_single_precision


@dataclass(frozen=True, slots=True)
class Operator:
    """How an estimator is written: its nodes, and the shapes and types of its outputs (None: skl2onnx's own)."""

    convert: Callable[[Any, Any, Any], None]
    infer_shape: Callable[[Any], None] | None = None


def operators() -> dict[type, Operator]:
    """Ours, by estimator class."""
    from sklearn import ensemble, preprocessing, tree
    from sklearn import impute as imputers

    forest_classifier = Operator(trees.convert_forest_classifier, trees.infer_classifier_shape)
    forest_regressor = Operator(trees.convert_forest_regressor, trees.infer_regressor_shape)
    return {
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
        ensemble.VotingClassifier: Operator(_convert_voting),
    } | {kind: Operator(in_single_precision(kind)) for kind in _networks()}


def _convert_voting(scope: Any, operator: Any, container: Any) -> None:
    """skl2onnx refuses a setting that only `transform` heeds, which no endpoint calls."""
    from skl2onnx.common._registration import get_converter

    voting = copy.copy(operator.raw_operator)
    voting.flatten_transform = False
    operator.raw_operator = voting
    get_converter("SklearnVotingClassifier")(scope, operator, container)


def computes_in_single(model: Any) -> bool:
    """Whether the estimator's arithmetic in the graph is in single precision, whatever comes before it."""
    return type(model) in _networks()


def _networks() -> tuple[type, ...]:
    """Estimators that lose nothing by single precision, and gain half their size."""
    from sklearn import neural_network

    return (neural_network.MLPClassifier, neural_network.MLPRegressor)
