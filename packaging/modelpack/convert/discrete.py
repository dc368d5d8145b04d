"""OneHotEncoder and OrdinalEncoder as graphs that compare by value, as their sources do.

skl2onnx's own truncate numbers to integers, cannot handle infrequent categories of a single input, and fail the
whole request on an unseen value. Here an unseen value is encoded as by the encoder; where the encoder would refuse
it, the signature does so before the graph is run.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.modelpack.convert.nodes import Nodes
from serinus.modelpack.sources.source import MISSING_STRING

ML = "ai.onnx.ml"


def infer_one_hot_shape(operator: Any) -> None:
    """[rows, sum of the encoded widths]."""
    encoder = operator.raw_operator
    width = sum(len(_one_hot_table(encoder, index)[0][0]) for index in range(len(encoder.categories_)))
    operator.outputs[0].type = _number_type(operator)([None, width])


def infer_ordinal_shape(operator: Any) -> None:
    """[rows, features]."""
    operator.outputs[0].type = _number_type(operator)([None, len(operator.raw_operator.categories_)])


def convert_one_hot(scope: Any, operator: Any, container: Any) -> None:
    """For each feature its category's index, and the table's row at that index."""
    nodes = Nodes(scope, container)
    encoder = operator.raw_operator
    parts = []
    for index, (column, is_string) in enumerate(_columns(nodes, operator)):
        table, unseen_index = _one_hot_table(encoder, index)
        indices = category_index(nodes, column, is_string, encoder.categories_[index], unseen=unseen_index)
        rows = nodes.constant(table.astype(_dtype(operator)))
        parts.append(nodes.add("Gather", [rows, indices], axis=0))
    _join(nodes, parts, operator)


def convert_ordinal(scope: Any, operator: Any, container: Any) -> None:
    """For each feature its category's index, and the code at that index."""
    nodes = Nodes(scope, container)
    encoder = operator.raw_operator
    parts = []
    for index, (column, is_string) in enumerate(_columns(nodes, operator)):
        codes = _ordinal_codes(encoder, index)
        indices = category_index(nodes, column, is_string, encoder.categories_[index], unseen=len(codes) - 1)
        rows = nodes.constant(codes.astype(_dtype(operator)).reshape(-1, 1))
        parts.append(nodes.add("Gather", [rows, indices], axis=0))
    _join(nodes, parts, operator)


def _columns(nodes: Nodes, operator: Any) -> list[tuple[str, bool]]:
    """Each feature as a [rows, 1] tensor, and whether it holds strings."""
    from skl2onnx.common.data_types import StringTensorType

    columns: list[tuple[str, bool]] = []
    for variable in operator.inputs:
        width = variable.get_second_dimension()
        is_string = isinstance(variable.type, StringTensorType)
        for column in range(width):
            name = variable.full_name if width == 1 else nodes.take(variable.full_name, [column])
            columns.append((name, is_string))
    return columns


def category_index(
    nodes: Nodes, column: str, is_string: bool, categories: npt.NDArray[Any], *, unseen: int
) -> str:
    """[rows] of int64: the index of each value in ``categories``, ``unseen`` where it is not one of them."""
    flat = nodes.add("Reshape", [column, nodes.constant(np.array([-1], dtype=np.int64))])
    if is_string:
        return nodes.add(
            "LabelEncoder",
            [flat],
            domain=ML,
            keys_strings=[MISSING_STRING if _is_missing(value) else str(value) for value in categories],
            values_int64s=list(range(len(categories))),
            default_int64=unseen,
        )
    return number_index(nodes, flat, categories, unseen)


def number_index(nodes: Nodes, flat: str, categories: npt.NDArray[Any], unseen: int) -> str:
    """The index of the first equal category, else ``unseen``."""
    numbers = np.array([np.nan if _is_missing(value) else float(value) for value in categories])
    column = nodes.cast(
        nodes.add("Reshape", [flat, nodes.constant(np.array([-1, 1], dtype=np.int64))]), np.float64
    )
    same = nodes.cast(nodes.add("Equal", [column, nodes.constant(numbers.reshape(1, -1))]), np.float32)
    if np.isnan(numbers).any():
        is_nan = nodes.cast(nodes.add("IsNaN", [column]), np.float32)
        where = nodes.constant(np.isnan(numbers).astype(np.float32).reshape(1, -1))
        same = nodes.add("Add", [same, nodes.add("Mul", [is_nan, where])])
    any_match = nodes.add("ReduceMax", [same, nodes.constant(np.array([1], dtype=np.int64))], keepdims=0)
    first_match = nodes.add("ArgMax", [same], axis=1, keepdims=0)
    is_match = nodes.add("Cast", [any_match], to=9)
    return nodes.add("Where", [is_match, first_match, nodes.constant(np.array([unseen], dtype=np.int64))])


def _one_hot_table(encoder: Any, index: int) -> tuple[npt.NDArray[np.float64], int]:
    """Encoded rows by category, with a last row for unseen values, and that row's index."""
    categories = encoder.categories_[index]
    count = len(categories)
    target = np.arange(count)
    width = count
    mapping = _infrequent(encoder, index)
    if mapping is not None:
        target = np.asarray(mapping)
        width = int(target.max()) + 1
    table = np.zeros((count + 1, width))
    table[np.arange(count), target] = 1.0
    if mapping is not None and encoder.handle_unknown in ("infrequent_if_exist", "warn"):
        table[count, width - 1] = 1.0
    dropped = None if encoder.drop_idx_ is None else encoder._drop_idx_after_grouping[index]
    if dropped is not None:
        table = np.delete(table, int(dropped), axis=1)
    return table, count


def _ordinal_codes(encoder: Any, index: int) -> npt.NDArray[np.float64]:
    """Codes by category, with a last one for unseen values."""
    categories = encoder.categories_[index]
    mapping = _infrequent(encoder, index)
    codes = (
        np.arange(len(categories), dtype=np.float64) if mapping is None else np.asarray(mapping, dtype=np.float64)
    )
    # NaN, always the last, counts as missing and is in no mapping; None is a category like others.
    if len(categories) and _is_missing(categories[-1]) and categories[-1] is not None:
        codes = np.append(codes[: len(categories) - 1], float(encoder.encoded_missing_value))
    unseen = encoder.unknown_value if encoder.handle_unknown == "use_encoded_value" else np.nan
    return np.append(codes, float(unseen))


def _infrequent(encoder: Any, index: int) -> Any:
    """Encoded index by category where rare categories share one; None where each has its own."""
    if not getattr(encoder, "_infrequent_enabled", False):
        return None
    return encoder._default_to_infrequent_mappings[index]


def _join(nodes: Nodes, parts: list[str], operator: Any) -> None:
    nodes.name(parts[0] if len(parts) == 1 else nodes.add("Concat", parts, axis=1), operator.outputs[0])


def _is_double(operator: Any) -> bool:
    """Encoded values are exact in single precision; double keeps the columns beside them from being rounded."""
    from skl2onnx.common.data_types import FloatTensorType

    return not any(isinstance(variable.type, FloatTensorType) for variable in operator.inputs)


def _number_type(operator: Any) -> Any:
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    return DoubleTensorType if _is_double(operator) else FloatTensorType


def _dtype(operator: Any) -> Any:
    return np.float64 if _is_double(operator) else np.float32


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))
