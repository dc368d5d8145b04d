"""Wraps a foreign graph in our inputs and our output names; the graph itself stays."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from serinus.modelpack.sample import Sample

#: name, element type, rank, whether nested, features.
GraphInput = tuple[str, str, int, bool, list[str]]

_ELEMENTS = {
    "float": 1,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": 7,
    "string": 8,
    "bool": 9,
    "float16": 10,
    "double": 11,
    "uint32": 12,
    "bfloat16": 16,
}
#: The types in which nested inputs arrive: signatures support no others.
_INPUT_TYPES = {"float16": 1, "bfloat16": 1, "uint8": 6, "int8": 6, "uint16": 6, "int16": 6, "uint32": 7}
#: Output types that signatures do not support, and the type that holds them.
_OUTPUT_TYPES = {10: 1, 16: 1, 2: 6, 3: 6, 4: 6, 5: 6, 12: 7, 13: 7}


def free_rows(model: Any) -> None:
    """Let the first axis of inputs and outputs have any length, also where the export had fixed it to one row."""
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in stored]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    for value in [*model.graph.input, *model.graph.output]:
        axes = value.type.tensor_type.shape.dim
        if value.type.HasField("tensor_type") and len(axes) and axes[0].dim_value in (0, 1):
            axes[0].Clear()
            axes[0].dim_param = "rows"
    del model.graph.value_info[:]


def drop_zipmap(model: Any) -> tuple[str | int, ...] | None:
    """Replace a dictionary of probabilities a row by a tensor; return the classes, where the graph names them."""
    from onnx import TensorProto, helper

    for node in list(model.graph.node):
        if node.op_type != "ZipMap":
            continue
        model.graph.node.remove(node)
        for index, value in enumerate(model.graph.output):
            if value.name == node.output[0]:
                shape = ["rows", None]
                model.graph.output[index].CopyFrom(
                    helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, shape)
                )
        return _classes([node])
    return _classes(model.graph.node)


def _classes(nodes: Any) -> tuple[str | int, ...] | None:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.name.startswith("classlabels_"):
                if attribute.strings:
                    return tuple(label.decode() for label in attribute.strings)
                if attribute.ints:
                    return tuple(attribute.ints)
    return None


def lookup_sizes(model: Any) -> tuple[int, ...]:
    """The lengths of the stored tables that nodes of the graph take rows from, by index."""
    sizes = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            sizes.update((node.output[0], list(item.t.dims)) for item in node.attribute if item.name == "value")
    return tuple(
        sorted(
            {
                size
                for node in model.graph.node
                for name in node.input
                if node.op_type in ("Gather", "GatherElements", "GatherND", "EmbedLayerNormalization")
                for size in sizes.get(name, [])[:2]
            }
        )
    )


def wrap(
    model: Any,
    sample: Sample,
    graph_inputs: Sequence[GraphInput],
    roles: dict[str, str],
    constants: Mapping[str, Any],
) -> bytes:
    """The serialized graph with inputs `numbers`, `strings` and one a nested feature, and outputs named by
    ``roles``; inputs ``constants`` become constants. Raises ValueError where an output is not a tensor."""
    import onnx
    from onnx import TensorProto, helper

    wrapped = onnx.ModelProto()
    wrapped.CopyFrom(model)
    graph = wrapped.graph
    _rename(graph)
    head: list[Any] = []
    stored: list[Any] = []
    inputs = [
        helper.make_tensor_value_info(name, kind, ["rows", len(names)])
        for name, kind, names in (
            ("numbers", TensorProto.DOUBLE, sample.numbers),
            ("strings", TensorProto.STRING, sample.strings),
        )
        if names
    ]
    for name, kind, rank, nested, features in graph_inputs:
        if nested:
            element = _INPUT_TYPES.get(kind, _ELEMENTS[kind])
            inputs.append(helper.make_tensor_value_info(name, element, ["rows", *sample.shapes[name]]))
            head += _cast_input(name, name, kind, len(sample.shapes[name]) + 1, stored)
        else:
            head += _flat(name, kind, rank, features, sample, stored)
    tail, outputs = [], []
    for value in graph.output:
        if not value.type.HasField("tensor_type"):
            raise ValueError(
                f"output {value.name.removeprefix('inner ')!r} is not a tensor; export it with tensors alone"
            )
        role = roles[value.name.removeprefix("inner ")]
        element = _OUTPUT_TYPES.get(value.type.tensor_type.elem_type, value.type.tensor_type.elem_type)
        last = value.name
        if role in ("label", "value"):
            stored.append(onnx.numpy_helper.from_array(np.array([-1]), f"one a row of {role}"))
            tail.append(helper.make_node("Reshape", [last, f"one a row of {role}"], [f"flat {role}"]))
            last = f"flat {role}"
        rank = len(value.type.tensor_type.shape.dim)
        if rank and value.type.tensor_type.elem_type == _ELEMENTS["float16"] and role not in ("label", "value"):
            tail.append(_keep(last, f"rounded {role}", rank, stored))
            last = f"rounded {role}"
        tail.append(helper.make_node("Cast", [last], [role], to=element))
        outputs.append(helper.make_tensor_value_info(role, element, None))
    nodes = [*head, *graph.node, *tail]
    for repeated, replacement in ((graph.node, nodes), (graph.input, inputs), (graph.output, outputs)):
        kept = [item.__class__.FromString(item.SerializeToString()) for item in replacement]
        del repeated[:]
        repeated.extend(kept)
    graph.initializer.extend(stored)
    graph.initializer.extend(
        onnx.numpy_helper.from_array(values, f"inner {name}") for name, values in constants.items()
    )
    wrapped.doc_string = graph.doc_string = ""
    return bytes(wrapped.SerializeToString(deterministic=True))


def _flat(name: str, kind: str, rank: int, features: list[str], sample: Sample, stored: list[Any]) -> list[Any]:
    """Nodes from `numbers` or `strings` to a flat input."""
    from onnx import helper, numpy_helper

    is_string = kind == "string"
    peers = list(sample.strings if is_string else sample.numbers)
    odd = [feature for feature in features if feature not in peers]
    if odd:
        raise ValueError(f"input {name!r} requires {kind}; the sample's {odd[0]!r} is {sample.dtypes[odd[0]]}")
    indices = [peers.index(feature) for feature in features]
    last = "strings" if is_string else "numbers"
    nodes = []
    if indices != list(range(len(peers))):
        stored.append(numpy_helper.from_array(np.array(indices, dtype=np.int64), f"places of {name}"))
        nodes.append(helper.make_node("Gather", [last, f"places of {name}"], [f"columns of {name}"], axis=1))
        last = f"columns of {name}"
    if rank == 1:
        stored.append(numpy_helper.from_array(np.array([-1], dtype=np.int64), f"one a row of {name}"))
        nodes.append(helper.make_node("Reshape", [last, f"one a row of {name}"], [f"row of {name}"]))
        last = f"row of {name}"
    if is_string:
        return [*nodes, helper.make_node("Identity", [last], [f"inner {name}"])]
    return [*nodes, *_cast_input(last, name, kind, rank, stored)]


def _cast_input(tensor: str, name: str, kind: str, rank: int, stored: list[Any]) -> list[Any]:
    """Nodes that make input ``name`` of ``tensor``."""
    from onnx import helper

    if kind != "float16":
        return [helper.make_node("Cast", [tensor], [f"inner {name}"], to=_ELEMENTS[kind])]
    rounded = helper.make_node("Cast", [tensor], [f"half {name}"], to=_ELEMENTS[kind])
    return [rounded, _keep(f"half {name}", f"inner {name}", rank, stored)]


def _keep(tensor: str, output: str, rank: int, stored: list[Any]) -> Any:
    """A node that changes nothing: ONNX Runtime computes half precision in single, and removes the rounding of a
    Cast beside its own."""
    from onnx import helper, numpy_helper

    same = f"shape of {output}"
    stored.append(numpy_helper.from_array(np.zeros(rank, dtype=np.int64), same))
    return helper.make_node("Reshape", [tensor, same], [output])


def _rename(graph: Any) -> None:
    """Prefix every name, so that none equals ours, also in graphs inside nodes, which see the outer names."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [name and f"inner {name}" for name in names]
        for attribute in node.attribute:
            for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                _rename(inner)
    for value in [*graph.input, *graph.output, *graph.value_info, *graph.initializer]:
        value.name = f"inner {value.name}"
    for sparse in graph.sparse_initializer:
        sparse.values.name = f"inner {sparse.values.name}"
