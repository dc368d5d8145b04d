"""From rows to the graph's input tensors.

Each tensor has a way that is compiled once: numbers side by side are packed by `struct` (a third of what
`numpy.array` needs for nested tuples), all else goes column by column.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lambda_handlers.contract.signature import Signature, Tensor
from lambda_handlers.inference.typed import Row

Array = npt.NDArray[Any]
Feeds = dict[str, Array]

_PACK_CODES = {"float32": "f", "float64": "d", "int32": "i", "int64": "q", "bool": "?"}


def compile_encoder(signature: Signature) -> Callable[[Sequence[Row]], Feeds]:
    """A function from checked rows (values in signature order, None where missing) to tensors by input name,
    each [rows, features] or [rows, *shape]."""
    if _is_one_block(signature):
        return _compile_block(signature.tensors[0])
    return _compile_columns(signature)


def _is_one_block(signature: Signature) -> bool:
    """Whether a row, as it comes, is a row of the only tensor."""
    first = signature.tensors[0]
    return (
        len(signature.tensors) == 1
        and first.features == signature.feature_names()
        and first.dtype != "string"
        and not any(feature.shape for feature in signature.features)
    )


def _compile_block(tensor: Tensor) -> Callable[[Sequence[Row]], Feeds]:
    name, width, dtype = tensor.name, len(tensor.features), np.dtype(tensor.dtype)
    pack = struct.Struct(f"={width}{_PACK_CODES[tensor.dtype]}").pack

    def encode(rows: Sequence[Row]) -> Feeds:
        try:
            packed = b"".join([pack(*row) for row in rows])
        except struct.error:  # a missing value, which only numpy turns into NaN
            return {name: np.array(rows, dtype)}
        return {name: np.frombuffer(packed, dtype).reshape(len(rows), width)}

    return encode


def _compile_columns(signature: Signature) -> Callable[[Sequence[Row]], Feeds]:
    positions = {feature: number for number, feature in enumerate(signature.feature_names())}
    missing = [feature.missing_string for feature in signature.features]
    makers = [
        (tensor.name, _column_maker(tensor, [positions[feature] for feature in tensor.features], missing))
        for tensor in signature.tensors
    ]

    def encode(rows: Sequence[Row]) -> Feeds:
        columns = list(zip(*rows, strict=True))
        return {name: make(columns) for name, make in makers}

    return encode


def _column_maker(
    tensor: Tensor, positions: Sequence[int], missing: Sequence[str]
) -> Callable[[Sequence[Row]], Array]:
    if tensor.dtype == "string":
        return _string_maker(positions, missing)
    dtype = np.dtype(tensor.dtype)
    if len(positions) == 1:
        only = positions[0]

        def make_one(columns: Sequence[Row]) -> Array:
            column = np.array(columns[only], dtype)
            return column.reshape(-1, 1) if column.ndim == 1 else column

        return make_one

    def make_block(columns: Sequence[Row]) -> Array:
        return np.ascontiguousarray(np.array([columns[position] for position in positions], dtype).T)

    return make_block


def _string_maker(positions: Sequence[int], missing: Sequence[str]) -> Callable[[Sequence[Row]], Array]:
    def make(columns: Sequence[Row]) -> Array:
        block = np.empty((len(columns[0]), len(positions)), object)
        for number, position in enumerate(positions):
            column = columns[position]
            if None in column:
                column = tuple(missing[position] if value is None else value for value in column)
            block[:, number] = column
        return block

    return make
