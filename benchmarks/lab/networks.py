"""Networks to quantize: layers, embeddings, convolutions and attention, each with labelled rows.

Inner layers are random and the last one is fitted, by ridge regression, to labels that a random network of another
seed drew: a model with a real accuracy, at any size, without a training framework.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pandas as pd
from onnx import TensorProto, helper, numpy_helper

CLASSES = 10
FIT_ROWS, SAMPLE_ROWS = 3000, 500


@dataclass(frozen=True, slots=True)
class Network:
    """A graph with one output of scores, its weights in millions, and labelled rows that did not fit it."""

    name: str
    model: bytes
    millions: float
    rows: pd.DataFrame
    labels: npt.NDArray[np.int64]
    inputs: dict[str, npt.NDArray[Any]]


class _Body:
    """A graph in the making: nodes and random weights."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.stored: dict[str, npt.NDArray[Any]] = {}

    def weight(self, *shape: int, fan_in: int = 0) -> str:
        name = f"w{len(self.stored)}"
        scale = np.sqrt(2.0 / fan_in) if fan_in else 1.0
        self.stored[name] = (self.random.normal(0.0, scale, shape)).astype(np.float32)
        return name

    def constant(self, values: Any) -> str:
        name = f"c{len(self.stored)}"
        self.stored[name] = np.asarray(values)
        return name

    def add(self, operator: str, *inputs: str, **settings: Any) -> str:
        output = f"t{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(operator, list(inputs), [output], name=f"{operator} {output}", **settings)
        )
        return output

    def layer(self, value: str, inputs: int, outputs: int, activation: str = "Relu") -> str:
        product = self.add("MatMul", value, self.weight(inputs, outputs, fan_in=inputs))
        return self.add(activation, product) if activation else product


def _layers(body: _Body, widths: list[int]) -> tuple[str, int]:
    value = body.add("Cast", "x", to=TensorProto.FLOAT)
    for inputs, outputs in pairwise(widths):
        value = body.layer(value, inputs, outputs)
    return value, widths[-1]


def _embeddings(body: _Body, words: int, width: int, hidden: int) -> tuple[str, int]:
    rows = body.add("Gather", body.weight(words, width), "x")
    mean = body.add("ReduceMean", rows, body.constant(np.array([1])), keepdims=0)
    return body.layer(mean, width, hidden), hidden


def _convolutions(body: _Body, channels: list[int]) -> tuple[str, int]:
    value = "x"
    for inputs, outputs in pairwise(channels):
        weights = body.weight(outputs, inputs, 3, 3, fan_in=9 * inputs)
        value = body.add("Relu", body.add("Conv", value, weights, pads=[1, 1, 1, 1], strides=[2, 2]))
    return body.add("ReduceMean", value, body.constant(np.array([2, 3])), keepdims=0), channels[-1]


def _attention(body: _Body, words: int, width: int, blocks: int, length: int) -> tuple[str, int]:
    """Blocks of self-attention of four heads and two layers, as in a text encoder."""
    value = body.add("Gather", body.weight(words, width), "x")
    for _ in range(blocks):
        value = _normalized(body, body.add("Add", value, _attended(body, value, width, length)), width)
        inner = body.layer(body.layer(value, width, 4 * width), 4 * width, width, "")
        value = _normalized(body, body.add("Add", value, inner), width)
    return body.add("ReduceMean", value, body.constant(np.array([1])), keepdims=0), width


def _attended(body: _Body, value: str, width: int, length: int) -> str:
    heads = 4
    shape = body.constant(np.array([0, length, heads, width // heads]))
    turned = [
        body.add("Transpose", body.add("Reshape", body.layer(value, width, width, ""), shape), perm=order)
        for order in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    ]
    products = body.add("MatMul", turned[0], turned[1])
    scaled = body.add("Mul", products, body.constant(np.float32(1.0 / np.sqrt(width // heads))))
    mixed = body.add("MatMul", body.add("Softmax", scaled, axis=-1), turned[2])
    joined = body.add("Transpose", mixed, perm=[0, 2, 1, 3])
    flat = body.add("Reshape", joined, body.constant(np.array([0, length, width])))
    return body.layer(flat, width, width, "")


def _normalized(body: _Body, value: str, width: int) -> str:
    ones, zeros = np.ones(width, np.float32), np.zeros(width, np.float32)
    return body.add("LayerNormalization", value, body.constant(ones), body.constant(zeros), axis=-1)


Build = Callable[[_Body], tuple[str, int]]


def networks() -> list[tuple[str, Callable[[], Network]]]:
    """Names, and what makes the networks, from 0.1 to 50 million weights."""

    def numbers(count: int) -> Callable[[np.random.Generator, int], npt.NDArray[Any]]:
        return lambda random, rows: random.normal(size=(rows, count))

    def words(vocabulary: int, length: int) -> Callable[[np.random.Generator, int], npt.NDArray[Any]]:
        return lambda random, rows: np.minimum(random.zipf(1.3, (rows, length)), vocabulary) - 1

    def pixels(size: int) -> Callable[[np.random.Generator, int], npt.NDArray[Any]]:
        return lambda random, rows: random.normal(size=(rows, 3, size, size)).astype(np.float32)

    def made(
        name: str, build: Build, draw: Any, kind: int, holdout: int = 3000
    ) -> tuple[str, Callable[[], Network]]:
        return name, lambda: _fit(name, build, draw, kind, holdout)

    flat, whole, image = TensorProto.DOUBLE, TensorProto.INT64, TensorProto.FLOAT
    return [
        made("layers 0.1M", lambda body: _layers(body, [64, 256, 256, 128]), numbers(64), flat),
        made("layers 2M", lambda body: _layers(body, [128, 1024, 1024, 768]), numbers(128), flat),
        made("layers 20M", lambda body: _layers(body, [256, 3072, 3072, 3072]), numbers(256), flat, 1500),
        made("layers 50M", lambda body: _layers(body, [256, 4864, 4864, 4864]), numbers(256), flat, 1000),
        made("embeddings 1M", lambda body: _embeddings(body, 20_000, 64, 256), words(20_000, 12), whole),
        made("embeddings 13M", lambda body: _embeddings(body, 100_000, 128, 512), words(100_000, 12), whole),
        made("embeddings 50M", lambda body: _embeddings(body, 200_000, 256, 512), words(200_000, 12), whole),
        made(
            "convolutions 0.4M", lambda body: _convolutions(body, [3, 32, 64, 128, 256]), pixels(32), image, 1500
        ),
        made(
            "convolutions 6M", lambda body: _convolutions(body, [3, 64, 256, 512, 1024]), pixels(32), image, 1500
        ),
        made("transformer 3M", lambda body: _attention(body, 8000, 128, 6, 16), words(8000, 16), whole, 1500),
        made("transformer 22M", lambda body: _attention(body, 30_000, 384, 6, 16), words(30_000, 16), whole, 1500),
    ]


def _fit(name: str, build: Build, draw: Any, kind: int, holdout: int) -> Network:
    random = np.random.default_rng(1)
    rows = FIT_ROWS + SAMPLE_ROWS + holdout
    values = draw(random, rows)
    body = _Body(2)
    output, width = build(body)
    hidden = _run(_graph(body, output, kind, values.shape[1:]), values).astype(np.float64)
    spread = hidden.std(axis=0) + 1e-6
    teacher = random.normal(0.0, 1.0, (width, CLASSES)) / spread[:, None]
    scores = (hidden - hidden.mean(axis=0)) @ teacher
    labels = (scores + random.gumbel(0.0, 0.25 * scores.std(), scores.shape)).argmax(axis=1)
    fitted, offset = _ridge(hidden[:FIT_ROWS] / spread, labels[:FIT_ROWS])
    last = body.constant((fitted / spread[:, None]).astype(np.float32))
    scored = body.add("MatMul", output, last)
    body.nodes.append(
        helper.make_node("Add", [scored, body.constant(offset.astype(np.float32))], ["scores"], name="scores")
    )
    model = _graph(body, "scores", kind, values.shape[1:])
    kept = values[FIT_ROWS:]
    flat = [f"x{column}" for column in range(kept.shape[1])]
    frame = pd.DataFrame(kept, columns=flat) if kept.ndim == 2 else pd.DataFrame({"x": kept.tolist()})
    millions = sum(item.size for item in body.stored.values() if item.dtype == np.float32) / 1e6
    return Network(name, model, millions, frame, labels[FIT_ROWS:], {"x": kept})


def _ridge(hidden: npt.NDArray[Any], labels: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Weights and offsets of the least squares fit to one-hot labels, sharpened to scores."""
    targets, mean = np.eye(CLASSES)[labels], hidden.mean(axis=0)
    centred = hidden - mean
    penalty = 0.1 * len(hidden) * np.eye(hidden.shape[1])
    weights = np.linalg.solve(centred.T @ centred + penalty, centred.T @ (targets - targets.mean(axis=0)))
    weights *= 10.0
    return weights, 10.0 * targets.mean(axis=0) - mean @ weights


def _graph(body: _Body, output: str, kind: int, shape: tuple[int, ...]) -> bytes:
    graph = helper.make_graph(
        body.nodes,
        "network",
        [helper.make_tensor_value_info("x", kind, ["rows", *shape])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["rows", None])],
        [numpy_helper.from_array(values, name) for name, values in body.stored.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    model.producer_name = "serinus"
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _run(model: bytes, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    parts = [values[start : start + 250] for start in range(0, len(values), 250)]
    return np.concatenate([session.run(None, {"x": part})[0] for part in parts])
