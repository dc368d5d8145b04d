"""Products in 8 bits, by ONNX Runtime's quantizers: faster for large layers, less exact than weights alone.

Weights have 7 bits of the 8: without VNNI, as on many processors that Lambda may use, sums of two full products
overflow 16 bits and saturate, so that a graph measured here would predict something else there.
https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html#when-and-why-do-i-need-to-try-u8u8
"""

import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Literal

import numpy.typing as npt

from serinus.modelpack.convert.quantization.stored_weights import (
    find_weights,
    round_weights,
    store_weights,
)

#: How the ranges of activations are chosen: all values, all but the rarest, or the least loss of information.
Calibration = Literal["minmax", "percentile", "entropy"]
_DYNAMIC = ("MatMul", "Gemm")
_STATIC = ("MatMul", "Gemm", "Conv")


def quantize_dynamic(model: bytes) -> bytes | None:
    """Weights in int8, activations quantized by the range of each call; None where no node qualifies."""

    def write(unquantized: Any, target: Path, nodes: list[str]) -> None:
        from onnxruntime import quantization

        quantization.quantize_dynamic(
            unquantized,
            target,
            op_types_to_quantize=list(_DYNAMIC),
            # The quantizer makes a MatMul of each Gemm, and names it like this.
            nodes_to_quantize=[*nodes, *(f"{name}_MatMul" for name in nodes)],
            per_channel=True,
            reduce_range=True,
        )

    return _quantize(model, _DYNAMIC, write)


def quantize_static(
    model: bytes, feeds: dict[str, npt.NDArray[Any]], calibration: Calibration = "minmax"
) -> bytes | None:
    """Weights and activations in int8, their ranges measured on ``feeds``; None where no node qualifies."""

    def write(unquantized: Any, target: Path, nodes: list[str]) -> None:
        from onnxruntime import quantization

        class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
            def __init__(self) -> None:
                self._feeds = iter([feeds])

            def get_next(self) -> Any:
                return next(self._feeds, None)

        methods = quantization.CalibrationMethod
        quantization.quantize_static(
            unquantized,
            target,
            Reader(),
            op_types_to_quantize=list(_STATIC),
            nodes_to_quantize=nodes,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            calibrate_method={
                "minmax": methods.MinMax,
                "percentile": methods.Percentile,
                "entropy": methods.Entropy,
            }[calibration],
        )

    return _quantize(model, _STATIC, write)


def _quantize(model: bytes, operators: tuple[str, ...], write: Any) -> bytes | None:
    """The graph that ``write`` makes of the nodes that qualify; large weights of all others are stored in int8."""
    import onnx

    unquantized = onnx.load_from_string(model)
    weights = find_weights(unquantized)
    nodes = [
        node.name
        for node in unquantized.graph.node
        if node.op_type in operators and node.name and node.input[1] in weights
    ]
    if not nodes:
        return None
    with tempfile.TemporaryDirectory() as folder, _quietly():
        target = Path(folder) / "quantized.onnx"
        write(unquantized, target, nodes)
        quantized = onnx.load(target)
    rest = {name: round_weights(values) for name, values in find_weights(quantized).items()}
    store_weights(quantized, rest)
    return bytes(quantized.SerializeToString(deterministic=True))


@contextmanager
def _quietly() -> Iterator[None]:
    """The quantizers print, and log advice on the root logger; here the results are measured instead."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
