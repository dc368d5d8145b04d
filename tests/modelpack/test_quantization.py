"""Weights in fewer bits: what is stored, what is computed, and which weights are worth their full width."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from serinus.modelpack.convert.quantization.four_bits import store_in_int4
from serinus.modelpack.convert.quantization.products import quantize_dynamic, quantize_static
from serinus.modelpack.convert.quantization.sensitivity import rank_by_cost
from serinus.modelpack.convert.quantization.stored_weights import (
    find_weights,
    round_weights,
    store_in_int8,
)

RANDOM = np.random.default_rng(0)


def _graph(nodes: list[Any], weights: dict[str, Any], inputs: dict[str, tuple[int, list[Any]]]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()


def _normal(*shape: int) -> Any:
    return RANDOM.normal(0.0, 0.2, shape).astype(np.float32)


def _products() -> bytes:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="relu"),
        helper.make_node("Gemm", ["b", "v", "c"], ["y"], name="second", transB=1),
    ]
    weights = {"w": _normal(40, 64), "v": _normal(32, 64), "c": _normal(32)}
    return _graph(nodes, weights, {"x": (TensorProto.FLOAT, ["n", 40])})


def _convolution() -> bytes:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("ReduceMean", ["a", "axes"], ["b"], name="pool", keepdims=0),
        helper.make_node("MatMul", ["b", "v"], ["y"], name="last"),
    ]
    weights = {"w": _normal(32, 3, 3, 3), "v": _normal(32, 16), "axes": np.array([2, 3])}
    return _graph(nodes, weights, {"x": (TensorProto.FLOAT, ["n", 3, 8, 8])})


def _embedding(*, tied: bool = False) -> bytes:
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"], name="look up"),
        helper.make_node("ReduceMean", ["rows", "axes"], ["y" if not tied else "mean"], name="mean", keepdims=0),
    ]
    weights = {"table": _normal(300, 48), "axes": np.array([1])}
    if tied:
        nodes += [
            helper.make_node("Transpose", ["table"], ["turned"], name="turn"),
            helper.make_node("MatMul", ["mean", "turned"], ["y"], name="score"),
        ]
    return _graph(nodes, weights, {"ids": (TensorProto.INT64, ["n", 5])})


def _recurrent() -> bytes:
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps"], name="turn", perm=[1, 0, 2]),
        helper.make_node("LSTM", ["steps", "w", "r"], ["", "last"], name="lstm", hidden_size=32),
        helper.make_node("Squeeze", ["last", "axes"], ["flat"], name="flat"),
        helper.make_node("Gemm", ["flat", "v"], ["y"], name="out"),
    ]
    weights = {"w": _normal(1, 128, 16), "r": _normal(1, 128, 32), "v": _normal(32, 16), "axes": np.array([0])}
    return _graph(nodes, weights, {"x": (TensorProto.FLOAT, ["n", 6, 16])})


def _run(model: bytes, **feeds: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(["y"], feeds)[0]


FEEDS: dict[str, dict[str, Any]] = {
    "products": {"x": RANDOM.normal(size=(50, 40)).astype(np.float32)},
    "convolution": {"x": RANDOM.normal(size=(20, 3, 8, 8)).astype(np.float32)},
    "embedding": {"ids": RANDOM.integers(0, 300, (30, 5))},
    "tied": {"ids": RANDOM.integers(0, 300, (30, 5))},
    "recurrent": {"x": RANDOM.normal(size=(20, 6, 16)).astype(np.float32)},
}
MODELS = {
    "products": _products(),
    "convolution": _convolution(),
    "embedding": _embedding(),
    "tied": _embedding(tied=True),
    "recurrent": _recurrent(),
}


@pytest.mark.parametrize("kind", MODELS)
def test_weights_in_int8_are_a_quarter_and_nearly_the_same(kind: str) -> None:
    model, feeds = MODELS[kind], FEEDS[kind]
    stored = store_in_int8(model)
    assert stored is not None
    assert len(stored) < 0.45 * len(model)
    exact = _run(model, **feeds)
    assert np.abs(_run(stored, **feeds) - exact).max() < 0.03 * np.abs(exact).max()


@pytest.mark.parametrize("kind", MODELS)
def test_graph_computes_with_exactly_the_rounded_weights(kind: str) -> None:
    model, feeds = onnx.load_from_string(MODELS[kind]), FEEDS[kind]
    stored = store_in_int8(MODELS[kind])
    assert stored is not None
    for tensor in model.graph.initializer:
        if tensor.name in find_weights(model):
            rounded = round_weights(numpy_helper.to_array(tensor)).values
            tensor.CopyFrom(numpy_helper.from_array(rounded, tensor.name))
    assert _run(stored, **feeds) == pytest.approx(_run(model.SerializeToString(), **feeds), rel=1e-5, abs=1e-6)


def test_table_of_an_embedding_stays_in_int8_at_run_time() -> None:
    stored = store_in_int8(MODELS["embedding"])
    assert stored is not None
    graph = onnx.load_from_string(stored).graph
    gathers = [node for node in graph.node if node.op_type == "Gather"]
    assert {node.input[0] for node in gathers} >= {"table int8"}
    assert all(node.input[0] != "table int8" for node in graph.node if node.op_type == "Cast")


def test_channels_of_very_different_sizes_keep_their_own_scale() -> None:
    weights = _normal(64, 64) * np.logspace(-4, 2, 64, dtype=np.float32)
    rounded = round_weights(weights)
    assert rounded.scales.shape == (1, 64)
    assert (np.abs(rounded.values - weights).max(axis=0) <= np.abs(weights).max(axis=0) / 250.0).all()
    turned = round_weights(np.ascontiguousarray(weights.T))
    assert turned.scales.shape == (64, 1)


def test_columns_of_zeros_stay_zero() -> None:
    weights = _normal(32, 32)
    weights[:, 3] = 0.0
    assert (round_weights(weights).values[:, 3] == 0.0).all()


def test_products_in_four_bits_are_close_and_an_eighth() -> None:
    stored = store_in_int4(MODELS["products"])
    assert stored is not None
    assert sum(node.op_type == "MatMulNBits" for node in onnx.load_from_string(stored).graph.node) == 2
    exact = _run(MODELS["products"], **FEEDS["products"])
    apart = np.abs(_run(stored, **FEEDS["products"]) - exact)
    assert apart.mean() < 0.2 * np.abs(exact).mean()


def test_what_has_no_product_in_four_bits_is_left_to_int8() -> None:
    assert store_in_int4(MODELS["embedding"]) is None
    stored = store_in_int4(MODELS["convolution"])
    assert stored is not None
    names = {tensor.name for tensor in onnx.load_from_string(stored).graph.initializer}
    assert {"w int8", "v 4 bits"} <= names


@pytest.mark.parametrize("kind", ["products", "convolution"])
def test_products_in_int8_are_close(kind: str) -> None:
    model, feeds = MODELS[kind], FEEDS[kind]
    exact = _run(model, **feeds)
    static = [quantize_static(model, feeds, method) for method in ("minmax", "percentile", "entropy")]
    for quantized in [quantize_dynamic(model), *static]:
        assert quantized is not None
        assert len(quantized) < 0.75 * len(model)
        assert np.abs(_run(quantized, **feeds) - exact).mean() < 0.15 * np.abs(exact).mean()


def test_integer_weights_cannot_saturate_sixteen_bits() -> None:
    for quantized in (
        quantize_dynamic(MODELS["products"]),
        quantize_static(MODELS["products"], FEEDS["products"]),
    ):
        assert quantized is not None
        operators = [node.op_type for node in onnx.load_from_string(quantized).graph.node]
        assert operators.count("MatMulInteger") in (0, 2)  # of both layers, although one is a Gemm
        codes = [
            numpy_helper.to_array(tensor)
            for tensor in onnx.load_from_string(quantized).graph.initializer
            if tensor.data_type == TensorProto.INT8 and len(tensor.dims) == 2
        ]
        assert codes
        assert max(int(np.abs(values.astype(int)).max()) for values in codes) <= 64


def test_calibration_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    quantize_static(MODELS["products"], FEEDS["products"], "entropy")
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_costliest_weights_come_first_and_stay_wide() -> None:
    # Huge weights in the row and the column of "w" that no output depends on leave no steps for the others.
    model = onnx.load_from_string(MODELS["products"])
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor).copy()
        if tensor.name == "w":
            values[0] = values[:, 0] = 50.0
        elif tensor.name == "v":
            values[:, 0] = 0.0
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    spoilt, rows = model.SerializeToString(), FEEDS["products"]["x"].copy()
    rows[:, 0] = 0.0
    ranked = rank_by_cost(spoilt, store_in_int8, lambda graph: {"y": _run(graph, x=rows)})
    assert ranked == ["w", "v"]
    mixed = store_in_int8(spoilt, ["w"])
    assert mixed is not None
    kept = {tensor.name: tensor.data_type for tensor in onnx.load_from_string(mixed).graph.initializer}
    assert kept["w half"] == TensorProto.FLOAT16
    assert kept["v int8"] == TensorProto.INT8


def test_small_and_double_weights_stay() -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"], name="first")]
    small = _graph(nodes, {"w": _normal(10, 10)}, {"x": (TensorProto.FLOAT, ["n", 10])})
    double = _graph(nodes, {"w": _normal(40, 40).astype(np.float64)}, {"x": (TensorProto.DOUBLE, ["n", 40])})
    for model in (small, double):
        assert store_in_int8(model) is None
        assert store_in_int4(model) is None
        assert quantize_dynamic(model) is None
