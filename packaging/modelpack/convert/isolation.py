"""IsolationForest as a graph: the depth at which each tree isolates a row, with missing values sent where the
source sends them (skl2onnx's own sends them elsewhere)."""

from dataclasses import replace
from typing import Any

import numpy as np

from serinus.modelpack.convert.ensemble import Ensemble, read_tree
from serinus.modelpack.convert.nodes import NEWER_ML, Nodes


def infer_shape(operator: Any) -> None:
    """Labels [rows, 1], scores [rows, 1]."""
    from skl2onnx.common.data_types import Int64TensorType

    from serinus.modelpack.convert.trees import number_type

    operator.outputs[0].type = Int64TensorType([None, 1])
    operator.outputs[1].type = number_type(operator)([None, 1])


def convert(scope: Any, operator: Any, container: Any) -> None:
    """Scores as by `decision_function` (-2 ** -(mean depth / expected depth) - offset), labels by their sign."""
    from sklearn.ensemble._iforest import _average_path_length

    from serinus.modelpack.convert.trees import set_output

    nodes = Nodes(scope, container)
    forest = operator.raw_operator
    ensemble = Ensemble(targets=1)
    for index, (tree, columns) in enumerate(zip(forest.estimators_, forest.estimators_features_, strict=True)):
        depth = forest._decision_path_lengths[index] + forest._average_path_length_per_tree[index] - 1.0
        grown = read_tree(tree.tree_, np.asarray(depth, dtype=np.float64).reshape(-1, 1))
        ensemble.plant(replace(grown, feature=np.asarray(columns)[np.where(grown.is_leaf, 0, grown.feature)]))
    values = nodes.cast(nodes.side_by_side(operator.inputs), np.float64)
    attributes = ensemble.attributes(unrounded=True)
    total = nodes.add("TreeEnsemble", [values], domain=NEWER_ML, since=1, **attributes)
    expected = len(forest.estimators_) * float(_average_path_length([forest._max_samples])[0])
    exponent = nodes.add("Mul", [total, nodes.constant(np.array([-1.0 / expected]))])
    power = nodes.add("Exp", [nodes.add("Mul", [exponent, nodes.constant(np.array([np.log(2.0)]))])])
    scores = nodes.add("Sub", [nodes.constant(np.array([-float(forest.offset_)])), power])
    outside = nodes.add("Less", [scores, nodes.constant(np.array([0.0]))])
    sides = [nodes.constant(np.array([side], dtype=np.int64)) for side in (-1, 1)]
    nodes.name(nodes.add("Where", [outside, *sides]), operator.outputs[0])
    set_output(nodes, operator, 1, scores)
