"""Builds a graph node by node, for models of libraries that skl2onnx does not support."""

from typing import Any

from serinus.modelpack.convert.nodes import NEWER_ML, Nodes


class DirectGraph:
    """The target of `Nodes`: scope and container at once."""

    def __init__(self) -> None:
        self._count = 0
        self._nodes: list[Any] = []
        self._stored: list[Any] = []
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

        del op_version
        self._nodes.append(helper.make_node(op_type, inputs, outputs, name=name, domain=op_domain, **attributes))

    def add_initializer(self, name: str, kind: int, shape: list[int], values: Any) -> None:
        from onnx import helper

        self._stored.append(helper.make_tensor(name, kind, shape, values))

    def model(self, outputs: list[tuple[str, int]]) -> Any:
        """The ONNX model from `numbers` to ``outputs`` (tensor and its ONNX type), for `graph_rewrite.finish`."""
        from onnx import TensorProto, helper

        graph = helper.make_graph(
            self._nodes,
            "model",
            [helper.make_tensor_value_info("numbers", TensorProto.DOUBLE, [None, None])],
            [helper.make_tensor_value_info(name, kind, None) for name, kind in outputs],
            initializer=self._stored,
        )
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(NEWER_ML, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)
