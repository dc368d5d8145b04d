"""Quantizes matrix products and convolutions by ONNX Runtime's quantizers; int4 weights block by block.

Only nodes with stored weights in single precision qualify; trees and arithmetic in double have none.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

#: For fewer weights than these, the saving is not worth the rounding.
LEAST_WEIGHTS = 256
_BLOCK = 32
_OPERATORS = ("MatMul", "Gemm", "Conv")


def quantize_dynamic(model: bytes) -> bytes | None:
    """Weights in int8, activations quantized dynamically; None where no node qualifies."""

    def write(unquantized: Any, target: Path, nodes: list[str]) -> None:
        from onnxruntime import quantization

        quantization.quantize_dynamic(
            unquantized, target, op_types_to_quantize=list(_OPERATORS), nodes_to_quantize=nodes, per_channel=True
        )

    return _quantize(model, write)


def quantize_static(model: bytes, feeds: list[dict[str, npt.NDArray[Any]]]) -> bytes | None:
    """Weights and activations in int8, their ranges measured on ``feeds``; None where no node qualifies."""

    def write(unquantized: Any, target: Path, nodes: list[str]) -> None:
        from onnxruntime import quantization

        class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
            def __init__(self) -> None:
                self._feeds = iter(feeds)

            def get_next(self) -> Any:
                return next(self._feeds, None)

        quantization.quantize_static(
            unquantized,
            target,
            Reader(),
            op_types_to_quantize=list(_OPERATORS),
            nodes_to_quantize=nodes,
            per_channel=True,
        )

    return _quantize(model, write)


def quantize_int4(model: bytes) -> bytes | None:
    """Weights of matrix products in 4 bits with a scale a block of 32 (MatMulNBits); None where none qualifies.
    https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits"""
    import onnx
    from onnx import helper

    changed = onnx.load_from_string(model)
    weights = {tensor.name: tensor for tensor in changed.graph.initializer}
    nodes: list[Any] = []
    for node in changed.graph.node:
        values = _weights_of_product(node, weights)
        nodes += [node] if values is None else _in_four_bits(node, values, changed.graph)
    if len(nodes) == len(changed.graph.node) and all(node.op_type != "MatMulNBits" for node in nodes):
        return None
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del changed.graph.node[:]
    changed.graph.node.extend(kept)
    _drop_unused(changed)
    changed.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return bytes(changed.SerializeToString(deterministic=True))


def _weights_of_product(node: Any, weights: dict[str, Any]) -> npt.NDArray[np.float32] | None:
    """[in, out] of a plain product by stored weights, as MatMul and PyTorch's linear layers (Gemm) have; else
    None."""
    from onnx import helper, numpy_helper

    if node.op_type not in ("MatMul", "Gemm") or not _qualifies(node, weights):
        return None
    values = numpy_helper.to_array(weights[node.input[1]])
    settings = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if values.ndim != 2 or settings.get("transA", 0) or {settings.get(n, 1.0) for n in ("alpha", "beta")} != {1.0}:
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
    grouped = padded.reshape(columns, blocks, _BLOCK)
    extreme = np.take_along_axis(grouped, np.abs(grouped).argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
    scales = (extreme / -8.0).astype(np.float32)
    safe = np.where(scales == 0.0, 1.0, scales)
    codes = np.clip(np.round(grouped / safe[:, :, None]) + 8, 0, 15).astype(np.uint8)
    packed: npt.NDArray[np.uint8] = (codes[:, :, 0::2] | (codes[:, :, 1::2] << 4)).astype(np.uint8)
    return packed, scales.reshape(-1)


def _quantize(model: bytes, write: Any) -> bytes | None:
    import onnx

    unquantized = onnx.load_from_string(model)
    weights = {tensor.name: tensor for tensor in unquantized.graph.initializer}
    nodes = [
        node.name for node in unquantized.graph.node if node.op_type in _OPERATORS and _qualifies(node, weights)
    ]
    if not nodes:
        return None
    with tempfile.TemporaryDirectory() as folder, _quietly():
        target = Path(folder) / "quantized.onnx"
        write(unquantized, target, nodes)
        return bytes(onnx.load(target).SerializeToString(deterministic=True))


def _qualifies(node: Any, weights: dict[str, Any]) -> bool:
    from onnx import TensorProto

    stored = weights.get(node.input[1])
    return (
        stored is not None
        and stored.data_type == TensorProto.FLOAT
        and int(np.prod(list(stored.dims))) >= LEAST_WEIGHTS
        and bool(node.name)
    )


def _drop_unused(model: Any) -> None:
    used = {name for node in model.graph.node for name in node.input}
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


@contextmanager
def _quietly() -> Iterator[None]:
    """The quantizers log advice on the root logger; here the results are measured instead."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
