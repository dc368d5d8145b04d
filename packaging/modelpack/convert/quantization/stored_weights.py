"""Stores weights in int8, a scale a channel; they are widened again as the session starts.

Arithmetic stays in single precision, so that only the weights are rounded, and every processor computes the same.
Rows that a graph gathers, such as embeddings, are widened at each call: their table stays small in memory too.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.modelpack.convert.jumps import tensors_before_trees

#: For fewer weights than these, the saving is not worth the rounding.
LEAST_WEIGHTS = 256
#: Positions of an operator's weights among its inputs.
_POSITIONS: dict[str, tuple[int, ...]] = {
    "MatMul": (0, 1),
    "Gemm": (0, 1),
    "Conv": (1,),
    "ConvTranspose": (1,),
    "Gather": (0,),
    "LSTM": (1, 2),
    "GRU": (1, 2),
    "RNN": (1, 2),
}
#: Scales may weigh this share of their weights.
_MOST_SCALES = 0.05
_LARGEST = 127.0

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rounded:
    """Codes of weights, and their scales, which broadcast; ``values`` is their product."""

    codes: npt.NDArray[np.int8]
    scales: Weights

    @property
    def values(self) -> Weights:
        return np.asarray(self.codes * self.scales, dtype=np.float32)


def find_weights(model: Any) -> dict[str, Weights]:
    """The large weights of ``model`` (a loaded graph) in single precision by name, in order, but for those that a
    tree's comparisons depend on."""
    from onnx import TensorProto, numpy_helper

    compared = tensors_before_trees(model.graph)

    used = {
        node.input[position]
        for node in model.graph.node
        for position in _POSITIONS.get(node.op_type, ())
        if position < len(node.input)
    }
    return {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in model.graph.initializer
        if tensor.name in used
        and tensor.name not in compared
        and tensor.data_type == TensorProto.FLOAT
        and len(tensor.dims) >= 2
        and int(np.prod(list(tensor.dims))) >= LEAST_WEIGHTS
    }


def round_weights(weights: Weights) -> Rounded:
    """``weights`` in int8 with a scale for each index of the axis that loses least."""
    axes = [axis for axis in range(weights.ndim) if weights.shape[axis] <= _MOST_SCALES * weights.size]
    rounded = [_round_along(weights, (axis,)) for axis in axes] or [_round_along(weights, ())]
    return min(rounded, key=lambda item: float(((item.values - weights) ** 2).sum()))


def _round_along(weights: Weights, kept: tuple[int, ...]) -> Rounded:
    """With one scale for each index of the axes ``kept``."""
    others = tuple(axis for axis in range(weights.ndim) if axis not in kept)
    scales = np.abs(weights).max(axis=others, keepdims=True) / _LARGEST
    scales = np.where(scales > 0.0, scales, 1.0).astype(np.float32)
    return Rounded(np.round(weights / scales).astype(np.int8), scales)


def store_in_int8(model: bytes, wide: Collection[str] = ()) -> bytes | None:
    """The graph with its large weights in int8, except those named in ``wide``, which are stored in half
    precision; None where it has none."""
    import onnx

    graph = onnx.load_from_string(model)
    weights = find_weights(graph)
    if not any(name not in wide for name in weights):
        return None
    store_weights(graph, {name: round_weights(values) for name, values in weights.items() if name not in wide})
    store_half(graph, wide)
    return bytes(graph.SerializeToString(deterministic=True))


def store_half(model: Any, names: Collection[str]) -> None:
    """Store the weights ``names`` of ``model`` in half precision, where they fit."""
    import onnx
    from onnx import helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        if tensor.name not in names:
            continue
        values = numpy_helper.to_array(tensor)
        if np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name} half"))
        casts.append(
            helper.make_node("Cast", [f"{name} half"], [name], name=f"widen {name}", to=onnx.TensorProto.FLOAT)
        )
    _put_first(model, casts)


def store_weights(model: Any, rounded: dict[str, Rounded]) -> None:
    """Replace the weights of ``model`` by codes and scales, and nodes that widen them."""
    from onnx import TensorProto, helper, numpy_helper

    gathered = _gathered_alone(model)
    first: list[Any] = []
    for tensor in [item for item in model.graph.initializer if item.name in rounded]:
        name, item = tensor.name, rounded[tensor.name]
        codes, scales = f"{name} int8", f"{name} scales"
        tensor.CopyFrom(numpy_helper.from_array(item.codes, codes))
        model.graph.initializer.append(numpy_helper.from_array(item.scales, scales))
        if name in gathered:
            _widen_rows(model, name, by_row=item.scales.shape[0] > 1)
        else:
            first.append(
                helper.make_node("Cast", [codes], [f"{name} cast"], name=f"cast {name}", to=TensorProto.FLOAT)
            )
            first.append(helper.make_node("Mul", [f"{name} cast", scales], [name], name=f"widen {name}"))
    _put_first(model, first)


def _gathered_alone(model: Any) -> set[str]:
    """Tables of which nodes gather rows along the first axis, and that nothing else reads."""
    gathers = [node for node in model.graph.node if _gathers_rows(node)]
    others = {name for node in model.graph.node if not _gathers_rows(node) for name in node.input}
    inner = any(attribute.HasField("g") for node in model.graph.node for attribute in node.attribute)
    outputs = {output.name for output in model.graph.output}
    return set() if inner else {node.input[0] for node in gathers} - others - outputs


def _gathers_rows(node: Any) -> bool:
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
    return node.op_type == "Gather" and node.domain == "" and axis == 0


def _widen_rows(model: Any, name: str, *, by_row: bool) -> None:
    """Let the nodes that gather rows of table ``name`` gather codes, and their scales where each row has one."""
    import onnx
    from onnx import TensorProto, helper

    nodes: list[Any] = []
    for node in model.graph.node:
        if node.op_type != "Gather" or node.input[0] != name:
            nodes.append(node)
            continue
        output = node.output[0]
        codes = onnx.NodeProto.FromString(node.SerializeToString())
        codes.input[0], codes.output[0] = f"{name} int8", f"{output} codes"
        nodes += [
            codes,
            helper.make_node(
                "Cast", [f"{output} codes"], [f"{output} cast"], name=f"cast {output}", to=TensorProto.FLOAT
            ),
        ]
        scales = f"{name} scales"
        if by_row:
            nodes.append(
                helper.make_node(
                    "Gather", [scales, node.input[1]], [f"{output} scales"], name=f"scales of {output}"
                )
            )
            scales = f"{output} scales"
        nodes.append(helper.make_node("Mul", [f"{output} cast", scales], [output], name=f"widen {output}"))
    replace_nodes(model, nodes)


def _put_first(model: Any, nodes: list[Any]) -> None:
    replace_nodes(model, [*nodes, *model.graph.node])


def replace_nodes(model: Any, nodes: list[Any]) -> None:
    """Make ``nodes`` those of the graph; some may be its own."""
    import onnx

    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)
