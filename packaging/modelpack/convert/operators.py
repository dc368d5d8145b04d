"""Converters that replace skl2onnx's own, for one model at a time and without touching its registry.

skl2onnx's converters of these estimators lose what the source model keeps: single precision where double was
meant, missing values, unseen categories. Handing ours to `convert_sklearn` leaves every other user of the
library alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelpack.convert import discrete, impute
from modelpack.convert.trees import follow_missing_values

Converter = Callable[[Any, Any, Any], None]
ShapeCalculator = Callable[[Any], None]


def converters() -> dict[type, Converter]:
    """Converters by estimator class."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    found: dict[type, Converter] = {kind: _in_single(kind) for kind in _single_precision()}
    return found | {
        SimpleImputer: impute.convert,
        OneHotEncoder: discrete.convert_one_hot,
        OrdinalEncoder: discrete.convert_ordinal,
    }


def shape_calculators() -> dict[type, ShapeCalculator]:
    """Shapes and types of what the converters give, by estimator class."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    return {
        SimpleImputer: impute.infer_shape,
        OneHotEncoder: discrete.infer_one_hot_shape,
        OrdinalEncoder: discrete.infer_ordinal_shape,
    }


def computes_in_single(model: Any) -> bool:
    """Whether the estimator's arithmetic in the graph is in single precision, whatever comes before it."""
    return type(model) in _single_precision()


def _single_precision() -> tuple[type, ...]:
    """Estimators that compute in single precision themselves (trees compare float32 features), or lose nothing
    by it (networks)."""
    from sklearn import ensemble, neural_network, tree

    return (
        tree.DecisionTreeClassifier,
        tree.DecisionTreeRegressor,
        tree.ExtraTreeClassifier,
        tree.ExtraTreeRegressor,
        ensemble.RandomForestClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesClassifier,
        ensemble.ExtraTreesRegressor,
        ensemble.GradientBoostingClassifier,
        ensemble.GradientBoostingRegressor,
        ensemble.HistGradientBoostingClassifier,
        ensemble.HistGradientBoostingRegressor,
        neural_network.MLPClassifier,
        neural_network.MLPRegressor,
    )


def _in_single(kind: type) -> Converter:
    """skl2onnx's own converter of ``kind``, its input cast to float first where it is double.

    Rounding to float any earlier moves values across the trees' thresholds: a scaler in single precision
    before a forest changed 899 of 5000 labels.
    """
    from skl2onnx._supported_operators import sklearn_operator_name_map
    from skl2onnx.common._registration import get_converter
    from skl2onnx.common.data_types import DoubleTensorType

    alias = sklearn_operator_name_map[kind]
    convert_as_it_is = get_converter(alias)

    def convert(scope: Any, operator: Any, container: Any) -> None:
        if len(operator.inputs) == 1 and not isinstance(operator.inputs[0].type, DoubleTensorType):
            before = len(container.nodes)
            convert_as_it_is(scope, operator, container)
            follow_missing_values(operator.raw_operator, container.nodes[before:])
            return
        _delegate_in_single(scope, operator, container, alias)

    return convert


def _delegate_in_single(scope: Any, operator: Any, container: Any, alias: str) -> None:
    """Cast to float, a second operator of the same estimator behind it, and its outputs cast to the types that
    the first had promised."""
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, guess_proto_type
    from skl2onnx.sklapi import CastTransformer

    cast = scope.declare_local_operator("SklearnCastTransformer", CastTransformer(dtype=np.float32))
    cast.inputs.extend(list(operator.inputs))
    width = sum(variable.get_second_dimension() for variable in operator.inputs)
    narrow = scope.declare_local_variable("single", FloatTensorType([None, width]))
    cast.outputs.append(narrow)
    inner = scope.declare_local_operator(alias, operator.raw_operator)
    inner.inputs.append(narrow)
    for output in operator.outputs:
        promised = output.type
        kind = FloatTensorType if isinstance(promised, DoubleTensorType) else type(promised)
        given = scope.declare_local_variable("inner", kind(promised.shape))
        inner.outputs.append(given)
        container.add_node(
            "Cast",
            [given.full_name],
            [output.full_name],
            to=guess_proto_type(promised),
            name=scope.get_unique_operator_name("CastBack"),
        )
