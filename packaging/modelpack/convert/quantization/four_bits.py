"""Weights of matrix products in 4 bits, block by block; all other large weights in int8.

https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.modelpack.convert.quantization.stored_weights import (
    find_weights,
    replace_nodes,
    round_weights,
    store_weights,
)
from serinus.modelpack.convert.stored_once import drop_unread

_BLOCK = 32
#: Shares of a block's largest weight at which the codes may end: to cut it off is better than coarser steps.
_ENDS = (1.0, 0.9, 0.8)


def store_in_int4(model: bytes, wide: Collection[str] = ()) -> bytes | None:
    """The graph with the weights of its matrix products in 4 bits, except those named in ``wide``, and these and
    all others in int8; None where no product qualifies."""
    import onnx
    from onnx import helper

    graph = onnx.load_from_string(model)
    weights = find_weights(graph)
    readers = [name for node in graph.graph.node for name in set(node.input)]
    nodes: list[Any] = []
    packed: set[str] = set()
    for node in graph.graph.node:
        name = node.input[1] if len(node.input) > 1 else ""
        values = None if name not in weights or name in wide else _of_product(node, weights[name])
        if values is None or readers.count(name) > 1:
            nodes.append(node)
        else:
            nodes += _in_four_bits(node, values, graph.graph)
            packed.add(name)
    if not packed:
        return None
    replace_nodes(graph, nodes)
    drop_unread(graph.graph)
    store_weights(graph, {name: round_weights(values) for name, values in weights.items() if name not in packed})
    if not any(entry.domain == "com.microsoft" for entry in graph.opset_import):
        graph.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return bytes(graph.SerializeToString(deterministic=True))


def _of_product(node: Any, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
    """[in, out] of a plain product by stored weights, as MatMul and PyTorch's linear layers (Gemm) have; else
    None."""
    from onnx import helper

    if node.op_type not in ("MatMul", "Gemm") or values.ndim != 2:
        return None
    settings = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if settings.get("transA", 0) or {settings.get(name, 1.0) for name in ("alpha", "beta")} != {1.0}:
        return None
    return np.asarray(values.T if settings.get("transB", 0) else values)


def _in_four_bits(node: Any, values: npt.NDArray[np.float32], graph: Any) -> list[Any]:
    """The product as MatMulNBits, its weights stored in ``graph``, and a Gemm's addition."""
    from onnx import helper, numpy_helper

    packed, scales = _pack(values)
    name = node.input[1]
    stored = [
        numpy_helper.from_array(packed, f"{name} 4 bits"),
        numpy_helper.from_array(scales, f"{name} scales"),
    ]
    graph.initializer.extend(stored)
    added = [term for term in node.input[2:] if term]
    output = f"{node.output[0]} product" if added else node.output[0]
    product = helper.make_node(
        "MatMulNBits",
        [node.input[0], *(tensor.name for tensor in stored)],
        [output],
        name=node.name,
        domain="com.microsoft",
        K=values.shape[0],
        N=values.shape[1],
        bits=4,
        block_size=_BLOCK,
    )
    return [product, *(helper.make_node("Add", [output, term], list(node.output)) for term in added)]


def _pack(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """[columns, blocks, 16] of two weights a byte, lower half first, around a zero point of 8; and the scales."""
    rows, columns = values.shape
    blocks = -(-rows // _BLOCK)
    padded = np.zeros((columns, blocks * _BLOCK), dtype=np.float32)
    padded[:, :rows] = values.T
    grouped = padded.reshape(columns * blocks, _BLOCK)
    best_codes, best_scales, best_error = None, None, None
    extreme = np.take_along_axis(grouped, np.abs(grouped).argmax(axis=1)[:, None], axis=1)
    for end in _ENDS:
        scales = extreme * np.float32(end / -8.0)
        scales[scales == 0.0] = 1.0
        codes = np.clip(np.rint(grouped / scales), -8, 7)
        error = np.square(codes * scales - grouped).sum(axis=1, keepdims=True)
        if best_codes is None or best_scales is None or best_error is None:
            best_codes, best_scales, best_error = codes, scales, error
            continue
        better = error < best_error
        best_codes = np.where(better, codes, best_codes)
        best_scales, best_error = np.where(better, scales, best_scales), np.where(better, error, best_error)
    assert best_codes is not None
    assert best_scales is not None
    unsigned = (best_codes + 8).astype(np.uint8).reshape(columns, blocks, _BLOCK)
    packed: npt.NDArray[np.uint8] = (unsigned[:, :, 0::2] | (unsigned[:, :, 1::2] << 4)).astype(np.uint8)
    return packed, best_scales.reshape(-1).astype(np.float32)
