"""Rewrites skl2onnx's graph into the shipped one: our inputs and outputs, nothing rounded, nothing random.

Inputs become one tensor of numbers and one of strings, independent of the converters' columns; outputs get the
names of their roles; names inside are numbered, so that equal models are equal bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from serinus.modelpack.convert.graph_builder import rename_uses, uses
from serinus.modelpack.convert.nodes import NEWER_ML
from serinus.modelpack.convert.term_inputs import TermInputs
from serinus.modelpack.sample import Sample


@dataclass(frozen=True, slots=True)
class Shape:
    """The graph's outputs, in order: name, and columns (None: a single value a row). Further outputs of the
    converter are cut off. ``label_cast`` is the type that labels are cast to, if any."""

    outputs: tuple[tuple[str, int | None], ...]
    label_cast: Literal["bool", "float64"] | None


def cast_of_labels(classes: Sequence[object] | None) -> Literal["bool", "float64"] | None:
    """The type to cast labels to, which graphs hold as integers or strings, so that it matches the classes'."""
    kinds = {type(label) for label in classes or ()}
    return "bool" if kinds == {bool} else "float64" if kinds == {float} else None


def finish(raw: Any, sample: Sample, shape: Shape, terms: TermInputs | None = None) -> bytes:
    """The serialized graph of ``raw``, an ONNX model by `DirectGraph`, with its inputs of ``terms``."""
    import onnx
    from onnx import helper

    inner = raw.graph
    stored = [one_a_row()]
    tail, outputs = _outputs(inner, shape)
    inputs = [
        helper.make_tensor_value_info(name, kind, [None, len(names)])
        for name, kind, names in (
            ("numbers", onnx.TensorProto.DOUBLE, sample.numbers),
            ("strings", onnx.TensorProto.STRING, sample.strings),
        )
        if names
    ]
    graph = helper.make_graph(
        [*inner.node, *tail], "model", inputs, outputs, initializer=[*inner.initializer, *stored]
    )
    _prune(graph)
    metadata = {} if terms is None else terms.declare(graph, sample.strings)
    _number_names(graph)
    opsets = _opsets(raw, graph)
    model = helper.make_model(
        graph,
        producer_name="serinus",
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in sorted(opsets.items())],
        ir_version=min(raw.ir_version, 10),
    )
    if metadata:
        helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _opsets(raw: Any, graph: Any) -> dict[str, int]:
    """Versions by domain; operators newer than skl2onnx get their true domain."""
    opsets = {entry.domain: entry.version for entry in raw.opset_import if entry.domain != NEWER_ML}
    for node in graph.node:
        if node.domain == NEWER_ML:
            node.domain = "ai.onnx.ml"
            opsets["ai.onnx.ml"] = 5
    return opsets


def keep_precision(model: Any) -> None:
    """FeatureVectorizer always returns float32; Concat keeps the type of its inputs."""
    for node in model.graph.node:
        if node.op_type == "FeatureVectorizer":
            node.op_type, node.domain = "Concat", ""
            del node.attribute[:]
            attribute = node.attribute.add()
            attribute.name, attribute.type, attribute.i = "axis", 2, 1


_ONE_A_ROW = "one value a row"


def one_a_row() -> Any:
    """The stored shape [-1]."""
    from onnx import numpy_helper

    return numpy_helper.from_array(np.array([-1], dtype=np.int64), _ONE_A_ROW)


def _outputs(inner: Any, shape: Shape) -> tuple[list[Any], list[Any]]:
    """Nodes that set the outputs' names, types and shapes, and the outputs."""
    from onnx import TensorProto, helper

    tail, outputs = [], []
    for (name, width), value in zip(shape.outputs, inner.output, strict=False):
        last, kind = value.name, value.type.tensor_type.elem_type
        if name == "label" and shape.label_cast:
            kind = TensorProto.BOOL if shape.label_cast == "bool" else TensorProto.DOUBLE
            tail.append(helper.make_node("Cast", [last], [f"cast {name}"], to=kind))
            last = f"cast {name}"
        if width is None and not _is_flat(inner, value.name):
            tail.append(helper.make_node("Reshape", [last, _ONE_A_ROW], [f"final {name}"]))
        else:
            tail.append(helper.make_node("Identity", [last], [f"final {name}"]))
        dimensions = [None] if width is None else [None, width]
        outputs.append(helper.make_tensor_value_info(f"final {name}", kind, dimensions))
    return tail, outputs


def _is_flat(inner: Any, name: str) -> bool:
    """Whether a tensor is known to be [rows] already: indices [rows], or list items at them, as our labels are."""
    producers = {output: node for node in inner.node for output in node.output}
    node = producers.get(name)
    while node is not None and node.op_type == "Identity":
        node = producers.get(node.input[0])
    if node is not None and node.op_type == "Gather":
        lists = {tensor.name for tensor in inner.initializer if len(tensor.dims) == 1}
        node = producers.get(node.input[1]) if node.input[0] in lists else None
    if node is None or node.op_type != "ArgMax":
        return False
    return any(attribute.name == "keepdims" and attribute.i == 0 for attribute in node.attribute)


def _prune(graph: Any) -> None:
    """Drop nodes and constants that no output needs, and nodes that only rename."""
    _skip_identities(graph)
    _name_at_the_source(graph)
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if any(name in needed for name in node.output):
            needed.update(uses(node))
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    stored = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(stored)


def _skip_identities(graph: Any) -> None:
    outputs = {value.name for value in graph.output}
    same: dict[str, str] = {}
    kept = []
    for node in graph.node:
        rename_uses(node, same)
        if node.op_type == "Identity" and node.output[0] not in outputs:
            same[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _name_at_the_source(graph: Any) -> None:
    """Name an output at its producing node where it is also used inside: ONNX Runtime would copy it otherwise."""
    produced = {output for node in graph.node for output in node.output}
    outputs = {value.name for value in graph.output}
    final: dict[str, str] = {}
    kept = []
    for node in graph.node:
        name = node.input[0] if node.op_type == "Identity" else ""
        if name in produced and name not in outputs and name not in final:
            final[name] = node.output[0]
        else:
            kept.append(node)
    for node in kept:
        rename_uses(node, final)
        node.output[:] = [final.get(name, name) for name in node.output]
    del graph.node[:]
    graph.node.extend(kept)


def _number_names(graph: Any) -> None:
    """Number tensors and nodes in order of use; inputs and outputs get their own names."""
    names: dict[str, str] = {value.name: value.name for value in graph.input}
    names |= {value.name: value.name.removeprefix("final ") for value in graph.output}
    names[""] = ""
    for number, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{number}"
        for name in [*uses(node), *node.output]:
            names.setdefault(name, f"t{len(names)}")
        rename_uses(node, names)
        for index, name in enumerate(node.output):
            node.output[index] = names[name]
        node.doc_string = ""
    for tensor in graph.initializer:
        tensor.name = names[tensor.name]
    for value in graph.output:
        value.name = names[value.name]
    graph.initializer.sort(key=lambda tensor: tensor.name)
