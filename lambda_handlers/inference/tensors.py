"""From rows to the graph's input tensors.

Each tensor's encoder is compiled once. Numbers are packed by `struct`, in a third of the time that `numpy.array`
needs for nested tuples.
"""

import struct
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from serinus.lambda_handlers.contract.signature import Signature, Tensor, TextAnalysis
from serinus.lambda_handlers.inference.fast_decoder import Row

Array = np.ndarray[Any, np.dtype[Any]]
Feeds = dict[str, Array]
Maker = Callable[[Sequence[Row]], Array]

_PACK_CODES = {"float32": "f", "float64": "d", "int32": "i", "int64": "q", "bool": "?"}


def compile_encoder(signature: Signature) -> Callable[[Sequence[Row]], Feeds]:
    """A function from checked rows (values in signature order, None where missing) to tensors by input name,
    each [rows, features] or [rows, *shape]."""
    makers = [(tensor.name, _maker(signature, tensor)) for tensor in signature.tensors]

    def encode(rows: Sequence[Row]) -> Feeds:
        return {name: make(rows) for name, make in makers}

    return encode


def _maker(signature: Signature, tensor: Tensor) -> Maker:
    names = signature.feature_names()
    positions = [names.index(feature) for feature in tensor.features]
    features = [signature.features[position] for position in positions]
    if tensor.dtype == "string":
        make = _string_maker(positions, [feature.missing_string for feature in features])
        return make if tensor.analysis is None else _term_maker(make, tensor.analysis)
    if any(feature.shape for feature in features):
        return _shaped_maker(positions[0], np.dtype(tensor.dtype))
    return _number_maker(tensor, positions, len(names))


def _number_maker(tensor: Tensor, positions: Sequence[int], row_length: int) -> Maker:
    width, dtype = len(positions), np.dtype(tensor.dtype)
    pack = struct.Struct(f"{width}{_PACK_CODES[tensor.dtype]}").pack
    whole = list(positions) == list(range(row_length))
    pick = itemgetter(*positions) if width > 1 else itemgetter(slice(positions[0], positions[0] + 1))

    def make(rows: Sequence[Row]) -> Array:
        picked = rows if whole else list(map(pick, rows))
        try:
            packed = b"".join([pack(*row) for row in picked])
        except struct.error:  # a missing value, which only numpy turns into NaN
            return np.array(picked, dtype)
        return np.ndarray((len(rows), width), dtype, packed)

    return make


def _string_maker(positions: Sequence[int], missing: Sequence[str]) -> Maker:
    width = len(positions)

    def make(rows: Sequence[Row]) -> Array:
        block = np.empty((len(rows), width), object)
        for number, position in enumerate(positions):
            column = [row[position] for row in rows]
            if None in column:
                column = [missing[number] if value is None else value for value in column]
            block[:, number] = column
        return block

    return make


def _term_maker(make: Maker, analysis: TextAnalysis) -> Maker:
    # Models without text do not load the regular expressions and tables of letters.
    from serinus.lambda_handlers.contract.text_terms import compile_analysis

    analyse = np.frompyfunc(compile_analysis(analysis), 1, 1)
    return lambda rows: np.asarray(analyse(make(rows)))


def _shaped_maker(position: int, dtype: np.dtype[Any]) -> Maker:
    def make(rows: Sequence[Row]) -> Array:
        return np.array([row[position] for row in rows], dtype)

    return make
