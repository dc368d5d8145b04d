"""Rewrites skl2onnx's graph into the shipped one: our inputs and outputs, nothing rounded, nothing random.

Inputs become one tensor of numbers and one of strings, independent of the converters' columns; outputs get the
names of their roles; names inside are numbered, so that equal models are equal bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from serinus.modelpack.convert.lowercase import LOWERCASE, declare_lowered, take_lowered
from serinus.modelpack.convert.nodes import NEWER_ML
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


def finish(raw: Any, sample: Sample, precision: str, shape: Shape) -> bytes:
    """The serialized graph; ``raw`` is an ONNX model by skl2onnx whose inputs are the sample's columns one by one,
    or all its numbers under the name `numbers`. Raises ValueError where it is not."""
    import onnx
    import onnx.inliner
    from onnx import helper

    if raw.functions:
        raw = onnx.inliner.inline_local_functions(raw)
    if sample.strings:
        _declare_true_types(raw)
    keep_precision(raw)
    inner = raw.graph
    prelude, columns = _inputs(inner, sample, precision)
    body = _gathered(list(inner.node), columns)
    tail, outputs = _outputs(inner, shape, columns)
    nodes = prelude + list(_column_nodes(body + tail, columns)) + body + tail
    inputs = [
        helper.make_tensor_value_info(name, kind, [None, len(names)])
        for name, kind, names in (
            ("numbers", onnx.TensorProto.DOUBLE, sample.numbers),
            ("strings", onnx.TensorProto.STRING, sample.strings),
        )
        if names
    ]
    graph = helper.make_graph(nodes, "model", inputs, outputs, initializer=[*inner.initializer, *columns.stored])
    take_lowered(graph)
    _prune(graph)
    lowercase = declare_lowered(graph)
    _number_names(graph)
    opsets = _opsets(raw, graph)
    model = helper.make_model(
        graph,
        producer_name="serinus",
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in sorted(opsets.items())],
        ir_version=min(raw.ir_version, 10),
    )
    if lowercase is not None:
        helper.set_model_props(model, {LOWERCASE: lowercase})
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


@dataclass(slots=True)
class _InputColumns:
    """Location of each input column of the converters: tensor and index; and the constants that select them."""

    locations: dict[str, tuple[str, int]]
    widths: dict[str, int]
    stored: list[Any]

    def take(self, names: list[str], output: str) -> Any:
        """The node that selects these columns of one tensor, in this order."""
        from onnx import helper, numpy_helper

        tensor = self.locations[names[0]][0]
        index = [self.locations[name][1] for name in names]
        if index == list(range(self.widths[tensor])):
            return helper.make_node("Identity", [tensor], [output])
        name = f"places {len(self.stored)}"
        self.stored.append(numpy_helper.from_array(np.array(index, dtype=np.int64), name))
        return helper.make_node("Gather", [tensor, name], [output], axis=1)


def _inputs(inner: Any, sample: Sample, precision: str) -> tuple[list[Any], _InputColumns]:
    """Nodes that turn our inputs into the converters' inputs, and the location of each column."""
    from onnx import TensorProto, helper

    names = [value.name for value in inner.input]
    numbers = "numbers"
    prelude: list[Any] = []
    if precision == "float32" and sample.numbers:
        numbers = "numbers in single"
        prelude.append(helper.make_node("Cast", ["numbers"], [numbers], to=TensorProto.FLOAT))
    if names == ["strings"]:
        return prelude, _InputColumns({}, {}, [])
    if names == ["numbers"]:
        if numbers != "numbers":
            _rename(inner, {"numbers": numbers})
        return prelude, _InputColumns({}, {}, [])
    if len(names) != len(sample.names):
        raise ValueError(f"the converter kept {len(names)} of {len(sample.names)} inputs")
    renamed = {old: f"column {number}" for number, old in enumerate(names)}
    _rename(inner, renamed)
    locations: dict[str, tuple[str, int]] = {}
    for name, old in zip(sample.names, names, strict=True):
        is_string = sample.dtypes[name] == "string"
        peers = sample.strings if is_string else sample.numbers
        locations[renamed[old]] = ("strings" if is_string else numbers, peers.index(name))
    return prelude, _InputColumns(locations, {numbers: len(sample.numbers), "strings": len(sample.strings)}, [])


def _rename(inner: Any, names: dict[str, str]) -> None:
    for node in inner.node:
        for index, name in enumerate(node.input):
            node.input[index] = names.get(name, name)
    for value in inner.output:
        value.name = names.get(value.name, value.name)


def _gathered(nodes: list[Any], columns: _InputColumns) -> list[Any]:
    """Columns that are concatenated again are selected from their tensor in one node."""
    gathered = []
    for node in nodes:
        tensors = {columns.locations.get(name, ("", 0))[0] for name in node.input}
        if node.op_type == "Concat" and len(tensors) == 1 and "" not in tensors:
            node = columns.take(list(node.input), node.output[0])
        gathered.append(node)
    return gathered


def _column_nodes(nodes: list[Any], columns: _InputColumns) -> Iterator[Any]:
    """Nodes for the single columns that are still used."""
    used = {name for node in nodes for name in node.input}
    for name in columns.locations:
        if name in used:
            yield columns.take([name], name)


def _outputs(inner: Any, shape: Shape, columns: _InputColumns) -> tuple[list[Any], list[Any]]:
    """Nodes that set the outputs' names, types and shapes, and the outputs."""
    from onnx import TensorProto, helper, numpy_helper

    columns.stored.append(numpy_helper.from_array(np.array([-1], dtype=np.int64), "one value a row"))
    tail, outputs = [], []
    for (name, width), value in zip(shape.outputs, inner.output, strict=False):
        last, kind = value.name, value.type.tensor_type.elem_type
        if name == "label" and shape.label_cast:
            kind = TensorProto.BOOL if shape.label_cast == "bool" else TensorProto.DOUBLE
            tail.append(helper.make_node("Cast", [last], [f"cast {name}"], to=kind))
            last = f"cast {name}"
        if width is None and not _is_flat(inner, value.name):
            tail.append(helper.make_node("Reshape", [last, "one value a row"], [f"final {name}"]))
        else:
            tail.append(helper.make_node("Identity", [last], [f"final {name}"]))
        dimensions = [None] if width is None else [None, width]
        outputs.append(helper.make_tensor_value_info(f"final {name}", kind, dimensions))
    return tail, outputs


def _declare_true_types(raw: Any) -> None:
    """skl2onnx guesses the outputs' type by the inputs', which is wrong for results computed from strings."""
    import onnx

    untyped = onnx.ModelProto.FromString(raw.SerializeToString())
    for value in untyped.graph.output:
        value.ClearField("type")
    inferred = {
        value.name: value.type.tensor_type.elem_type
        for value in onnx.shape_inference.infer_shapes(untyped).graph.output
    }
    for value in raw.graph.output:
        value.type.tensor_type.elem_type = inferred.get(value.name) or value.type.tensor_type.elem_type


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
            needed.update(node.input)
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
        for index, name in enumerate(node.input):
            node.input[index] = same.get(name, name)
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
        for names in (node.input, node.output):
            names[:] = [final.get(name, name) for name in names]
    del graph.node[:]
    graph.node.extend(kept)


def _number_names(graph: Any) -> None:
    """Number tensors and nodes in order of use; inputs and outputs get their own names."""
    names: dict[str, str] = {value.name: value.name for value in graph.input}
    names |= {value.name: value.name.removeprefix("final ") for value in graph.output}
    names[""] = ""
    for number, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{number}"
        for name in [*node.input, *node.output]:
            names.setdefault(name, f"t{len(names)}")
        for index, name in enumerate(node.input):
            node.input[index] = names[name]
        for index, name in enumerate(node.output):
            node.output[index] = names[name]
        node.doc_string = ""
    for tensor in graph.initializer:
        tensor.name = names[tensor.name]
    for value in graph.output:
        value.name = names[value.name]
    graph.initializer.sort(key=lambda tensor: tensor.name)
