"""Nearest neighbours by matrix products: ONNX Runtime's CDist, where skl2onnx loops over the rows.

Distances by products (|a|² - 2ab + |b|²) lose digits far from the origin, so all rows are centred on the training
rows first. The remaining error decides between neighbours at the same distance; where that changes a label of the
sample, the conversion falls back to the loop. Weights come from exact distances: skl2onnx 1.20 weighs all alike.
https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.CDist
"""

from typing import Any

import numpy as np

from serinus.modelpack.convert.nodes import Nodes
from serinus.modelpack.convert.trees import first_largest, set_classifier_outputs, set_output


def is_by_products(model: Any) -> bool:
    """Whether ``model`` looks for a number of neighbours by Euclidean distance, for one label or for values."""
    return (
        getattr(model, "effective_metric_", None) == "euclidean"
        and getattr(model, "weights", None) in ("uniform", "distance")
        and isinstance(getattr(model, "_fit_X", None), np.ndarray)
        and getattr(model, "n_neighbors", None) is not None
        and not isinstance(getattr(model, "classes_", None), list)
    )


def convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    """Shares of the neighbours' weight by class."""
    nodes = Nodes(scope, container)
    model = operator.raw_operator
    neighbours, weight = _neighbours(nodes, operator)
    code = nodes.add("Gather", [nodes.constant(np.asarray(model._y, dtype=np.int64).ravel()), neighbours], axis=0)
    codes = nodes.constant(np.arange(len(model.classes_), dtype=np.int64).reshape(1, 1, -1))
    votes = nodes.cast(nodes.add("Equal", [_at(nodes, code, 2), codes]), np.float64)
    total = _over_neighbours(nodes, nodes.add("Mul", [votes, weight]))
    shares = nodes.add("Div", [total, _over_neighbours(nodes, weight)])
    set_classifier_outputs(nodes, operator, shares, first_largest(nodes, total))


def convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    """Mean of the neighbours' values by weight."""
    nodes = Nodes(scope, container)
    values = np.asarray(operator.raw_operator._y, dtype=np.float64)
    neighbours, weight = _neighbours(nodes, operator)
    neighbour_values = nodes.add("Gather", [nodes.constant(values.reshape(len(values), -1)), neighbours], axis=0)
    total = _over_neighbours(nodes, nodes.add("Mul", [neighbour_values, weight]))
    set_output(nodes, operator, 0, nodes.add("Div", [total, _over_neighbours(nodes, weight)]))


def _neighbours(nodes: Nodes, operator: Any) -> tuple[str, str]:
    """[rows, k] indices of training rows, and [rows, k, 1] weights."""
    model = operator.raw_operator
    inputs = nodes.cast(nodes.side_by_side(operator.inputs), np.float64)
    middle = model._fit_X.mean(axis=0, dtype=np.float64, keepdims=True)
    rows = nodes.constant(model._fit_X.astype(np.float64) - middle)
    moved = nodes.add("Sub", [inputs, nodes.constant(middle)])
    distances = nodes.add("CDist", [moved, rows], domain="com.microsoft", since=1, metric="sqeuclidean")
    count = nodes.constant(np.array([model.n_neighbors], dtype=np.int64))
    neighbours = nodes.add_second("TopK", [distances, count], largest=0, sorted=1)
    if model.weights == "uniform":
        return neighbours, nodes.constant(np.ones((1, model.n_neighbors, 1)))
    apart = nodes.add("Sub", [nodes.add("Gather", [rows, neighbours], axis=0), _at(nodes, moved, 1)])
    last = nodes.constant(np.array([2], dtype=np.int64))
    squares = nodes.add("ReduceSum", [nodes.add("Mul", [apart, apart]), last], keepdims=1)
    exact = nodes.add("Sqrt", [squares])
    same = nodes.cast(nodes.add("Equal", [exact, nodes.constant(np.zeros(1))]), np.float64)
    any_same = nodes.cast(_over_neighbours(nodes, same, keep=True), np.bool_)
    return neighbours, nodes.add("Where", [any_same, same, nodes.add("Reciprocal", [exact])])


def _at(nodes: Nodes, value: str, axis: int) -> str:
    return nodes.add("Unsqueeze", [value, nodes.constant(np.array([axis], dtype=np.int64))])


def _over_neighbours(nodes: Nodes, value: str, *, keep: bool = False) -> str:
    return nodes.add("ReduceSum", [value, nodes.constant(np.array([1], dtype=np.int64))], keepdims=int(keep))
