"""Builds a graph node by node: of models that skl2onnx does not support, and of others' graphs as parts."""

from collections.abc import Iterator, Mapping
from typing import Any

from serinus.modelpack.convert.nodes import NEWER_ML, Nodes

_OPSET = 21
_ML_OPSET = 3


class DirectGraph:
    """The target of `Nodes`: scope and container at once. Its inputs are `numbers` and `strings`, each [rows,
    columns]."""

    def __init__(self) -> None:
        self._count = 0
        self._nodes: list[Any] = []
        self._stored: list[Any] = []
        self._opsets: dict[str, int] = {"": _OPSET, NEWER_ML: 1}
        self.nodes = Nodes(self, self)

    def get_unique_variable_name(self, seed: str) -> str:
        self._count += 1
        return f"{seed} {self._count}"

    get_unique_operator_name = get_unique_variable_name

    def add_node(
        self,
        op_type: str,
        inputs: list[str],
        outputs: list[str],
        *,
        op_domain: str = "",
        op_version: int | None = None,
        name: str = "",
        **attributes: Any,
    ) -> None:
        from onnx import helper

        default = _ML_OPSET if op_domain == "ai.onnx.ml" else 1
        self._opsets[op_domain] = max(self._opsets.get(op_domain, 1), op_version or default)
        self._nodes.append(helper.make_node(op_type, inputs, outputs, name=name, domain=op_domain, **attributes))

    def add_initializer(self, name: str, kind: int, shape: list[int], values: Any) -> None:
        from onnx import helper

        self._stored.append(helper.make_tensor(name, kind, shape, values))

    def add_graph(self, model: Any, inputs: Mapping[str, str]) -> list[str]:
        """The nodes of an ONNX model whose inputs are tensors of this graph, by name; returns its outputs."""
        graph = type(model.graph)()
        graph.CopyFrom(model.graph)
        self._count += 1
        _rename(graph, dict(inputs), f"part {self._count} ")
        self._nodes.extend(graph.node)
        self._stored.extend(graph.initializer)
        for entry in model.opset_import:
            self._opsets[entry.domain] = max(self._opsets.get(entry.domain, 1), entry.version)
        return [value.name for value in graph.output]

    def model(self, outputs: list[tuple[str, int]]) -> Any:
        """The ONNX model from its inputs to ``outputs`` (tensor and its ONNX type), for `graph_rewrite.finish`."""
        from onnx import TensorProto, helper

        used = {name for node in self._nodes for name in uses(node)} | {name for name, _ in outputs}
        kinds = {"numbers": TensorProto.DOUBLE, "strings": TensorProto.STRING}
        graph = helper.make_graph(
            self._nodes,
            "model",
            [
                helper.make_tensor_value_info(name, kind, [None, None])
                for name, kind in kinds.items()
                if name in used
            ],
            [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs],
            initializer=self._stored,
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in self._opsets.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def bodies(node: Any) -> Iterator[Any]:
    """The graphs inside a node: of `If`, `Loop` and `Scan`."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def uses(node: Any) -> Iterator[str]:
    """The tensors that a node needs, those that the graphs inside it capture too."""
    yield from node.input
    for body in bodies(node):
        yield from captured(body)


def captured(body: Any) -> Iterator[str]:
    """The outer tensors that a node's graph uses."""
    own = {value.name for value in (*body.input, *body.initializer)}
    own |= {output for node in body.node for output in node.output}
    yield from (name for node in body.node for name in uses(node) if name not in own)
    yield from (value.name for value in body.output if value.name not in own)


def rename_uses(node: Any, names: Mapping[str, str]) -> None:
    """Rename the outer tensors that a node uses, also in the graphs inside it."""
    for index, name in enumerate(node.input):
        node.input[index] = names.get(name, name)
    for body in bodies(node):
        own = {value.name for value in (*body.input, *body.initializer)}
        own |= {output for inner in body.node for output in inner.output}
        outer = {old: new for old, new in names.items() if old not in own}
        for inner in body.node:
            rename_uses(inner, outer)
        for value in body.output:
            value.name = outer.get(value.name, value.name)


def _rename(graph: Any, names: dict[str, str], prefix: str) -> None:
    """Prefix every name but those in ``names``, which get the names there; also in the graphs inside nodes."""

    def new(name: str) -> str:
        return names.get(name, prefix + name) if name else name

    for node in graph.node:
        node.name = node.name and prefix + node.name
        for listed in (node.input, node.output):
            listed[:] = [new(name) for name in listed]
        for body in bodies(node):
            _rename(body, names, prefix)
    for value in (*graph.input, *graph.output, *graph.initializer, *graph.value_info):
        value.name = new(value.name)
