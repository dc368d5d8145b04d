"""Which stored numbers decide where a model's outputs jump: rounding them moves rows over a threshold.

A rounded weight of a product changes an output a little. A rounded weight before a tree, a comparison or a ranking
leaves most rows exactly as they were, and others far off; a sample does not show those.
"""

from typing import Any

from serinus.modelpack.convert.graph_builder import bodies, uses

_TREES = frozenset(("TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"))
_OTHERS = frozenset(
    (
        *("TopK", "ArgMin", "ArgMax", "Floor", "Ceil", "Round", "Sign"),
        *("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"),
    )
)


def tensors_before_trees(graph: Any) -> set[str]:
    """Names of tensors of ``graph`` that reach one of its outputs of numbers through a tree."""
    return _tensors_before(graph, _TREES)


def tensors_before_jumps(graph: Any) -> set[str]:
    """Names of tensors of ``graph`` that reach one of its outputs of numbers through an operator that jumps. A
    label may jump where the scores of two are equal."""
    return _tensors_before(graph, _TREES | _OTHERS)


def _tensors_before(graph: Any, operators: frozenset[str]) -> set[str]:
    import onnx

    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)
    numbers = {item.name for item in graph.output if item.type.tensor_type.elem_type in floats}
    jumping: set[str] = set()
    for node in reversed(graph.node):
        if numbers.isdisjoint(node.output):
            continue
        numbers.update(uses(node))
        if _is_one_of(node, operators) or not jumping.isdisjoint(node.output):
            jumping.update(uses(node))
    return jumping


def _is_one_of(node: Any, operators: frozenset[str]) -> bool:
    return node.op_type in operators or any(
        _is_one_of(inner, operators) for body in bodies(node) for inner in body.node
    )
