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
    """Names of tensors of ``graph`` that reach one of its outputs through a tree."""
    return _tensors_before(graph, _TREES)


def tensors_before_jumps(graph: Any) -> set[str]:
    """Names of tensors of ``graph`` that reach one of its outputs through an operator that jumps. A label beside
    scores may jump, once: where the scores of two are equal. One without scores, or of counted votes, may not."""
    return _tensors_before(graph, _TREES | _OTHERS, 1)


def _tensors_before(graph: Any, operators: frozenset[str], allowed_before_labels: int = 0) -> set[str]:
    """Names of tensors that reach an output of numbers through one of ``operators``, or a label beside numbers
    through more than ``allowed_before_labels``."""
    import onnx

    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)
    is_number = {item.name: item.type.tensor_type.elem_type in floats for item in graph.output}
    allowed = allowed_before_labels if any(is_number.values()) else 0
    # How many jumps lie between a tensor and an output, less those allowed there; of several paths, the most.
    jumps = {name: 0 if number else -allowed for name, number in is_number.items()}
    for node in reversed(graph.node):
        after = [jumps[name] for name in node.output if name in jumps]
        if not after:
            continue
        count = max(after) + _is_one_of(node, operators)
        for name in uses(node):
            jumps[name] = max(count, jumps.get(name, count))
    return {name for name, count in jumps.items() if count > 0}


def _is_one_of(node: Any, operators: frozenset[str]) -> bool:
    return node.op_type in operators or any(
        _is_one_of(inner, operators) for body in bodies(node) for inner in body.node
    )
