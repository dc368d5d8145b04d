"""Lets an estimator compute in single precision behind preprocessing in double."""

from collections.abc import Callable
from typing import Any

import numpy as np


def in_single_precision(kind: type) -> Callable[[Any, Any, Any], None]:
    """skl2onnx's own converter of ``kind``, its input rounded first where it is double."""
    from skl2onnx._supported_operators import sklearn_operator_name_map
    from skl2onnx.common._registration import get_converter
    from skl2onnx.common.data_types import DoubleTensorType

    alias = sklearn_operator_name_map[kind]
    convert_as_it_is = get_converter(alias)

    def convert(scope: Any, operator: Any, container: Any) -> None:
        if any(isinstance(variable.type, DoubleTensorType) for variable in operator.inputs):
            _delegate(scope, operator, container, alias)
        else:
            convert_as_it_is(scope, operator, container)

    return convert


def _delegate(scope: Any, operator: Any, container: Any, alias: str) -> None:
    """Cast to float, a second operator of the same estimator after it, and casts of its outputs to the types that
    the first declared."""
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
        result = scope.declare_local_variable("inner", kind(promised.shape))
        inner.outputs.append(result)
        name = scope.get_unique_operator_name("CastBack")
        to = guess_proto_type(promised)
        container.add_node("Cast", [result.full_name], [output.full_name], to=to, name=name)
