"""SimpleImputer as a graph: in the precision of its input, for strings too, with indicators.

skl2onnx's own rounds fill values to single precision, and refuses strings whose missing value is NaN.
"""

from typing import Any

import numpy as np
import pandas as pd

from serinus.modelpack.convert.nodes import Nodes
from serinus.modelpack.sources.encoders import PASSED_NONES
from serinus.modelpack.sources.source import MISSING_STRING


def infer_shape(operator: Any) -> None:
    """As many columns as the imputer outputs, of the input's type."""
    from skl2onnx.common.data_types import StringTensorType

    width = len(_kept(operator.raw_operator)) + len(_indicated(operator.raw_operator))
    kind = type(operator.inputs[0].type)
    if kind is StringTensorType and len(_indicated(operator.raw_operator)):
        raise ValueError("SimpleImputer(add_indicator=True) on strings is not supported")
    operator.outputs[0].type = kind([None, width])


def convert(scope: Any, operator: Any, container: Any) -> None:
    """Where a value is missing, the column's fill value; then the indicator columns."""
    from skl2onnx.common.data_types import StringTensorType

    imputer = operator.raw_operator
    nodes = Nodes(scope, container)
    is_string = isinstance(operator.inputs[0].type, StringTensorType)
    values = nodes.side_by_side(operator.inputs)
    dtype = object if is_string else nodes.numpy_type(operator.inputs[0])
    missing = _missing(nodes, values, imputer.missing_values, dtype)
    statistics = imputer.statistics_
    if passed := getattr(imputer, PASSED_NONES, ()):
        imputed = ~np.isin(np.arange(len(statistics)), passed)
        missing = nodes.add("And", [missing, nodes.constant(imputed.reshape(1, -1))])
        statistics = np.where(imputed, statistics, "" if is_string else 0)
    kept = _kept(imputer)
    fill = np.asarray(statistics, dtype=object if is_string else dtype)[kept]
    kept_values, kept_missing = values, missing
    if len(kept) != len(imputer.statistics_):
        kept_values, kept_missing = nodes.take(values, kept), nodes.take(missing, kept)
    result = nodes.add("Where", [kept_missing, nodes.constant(fill.reshape(1, -1)), kept_values])
    indicated = _indicated(imputer)
    if len(indicated):
        flags = nodes.cast(nodes.take(missing, indicated), dtype)
        result = nodes.add("Concat", [result, flags], axis=1)
    nodes.name(result, operator.outputs[0])


def _missing(nodes: Nodes, values: str, marker: Any, dtype: Any) -> str:
    """The name of a boolean tensor that is true where ``values`` are missing."""
    is_nan = marker is None or (isinstance(marker, float) and np.isnan(marker)) or marker is pd.NA
    if dtype is object:
        return nodes.add(
            "Equal", [values, nodes.constant(np.array([MISSING_STRING if is_nan else str(marker)], object))]
        )
    if is_nan:
        return nodes.add("IsNaN", [values])
    return nodes.add("Equal", [values, nodes.constant(np.array([marker], dtype=dtype))])


def _kept(imputer: Any) -> Any:
    """Columns that are not dropped for having no value at all in training."""
    statistics = imputer.statistics_
    if statistics.dtype.kind == "f":
        return np.flatnonzero(~np.isnan(statistics))
    return np.flatnonzero([not (isinstance(value, float) and np.isnan(value)) for value in statistics])


def _indicated(imputer: Any) -> Any:
    indicator = getattr(imputer, "indicator_", None)
    return np.array([], dtype=np.int64) if indicator is None else np.asarray(indicator.features_)
