"""Missing values in decision trees: which child a NaN goes to, which skl2onnx leaves out."""

from collections.abc import Iterable
from typing import Any

import numpy as np


def follow_missing_values(model: Any, nodes: Iterable[Any]) -> None:
    """Write into the graph ``nodes`` made of scikit-learn tree or forest ``model`` where each split sends NaN.

    HistGradientBoosting is right already, and GradientBoosting takes no NaN.
    """
    directions = _directions(model)
    if directions is None:
        return
    for node in nodes:
        if not node.op_type.startswith("TreeEnsemble"):
            continue
        attributes = {attribute.name: attribute for attribute in node.attribute}
        trees, ids = attributes["nodes_treeids"].ints, attributes["nodes_nodeids"].ints
        tracks = [int(directions[tree][index]) for tree, index in zip(trees, ids, strict=True)]
        del attributes["nodes_missing_value_tracks_true"].ints[:]
        attributes["nodes_missing_value_tracks_true"].ints.extend(tracks)


def _directions(model: Any) -> list[Any] | None:
    """Per tree, per node: whether NaN goes to the left (true) child."""
    if hasattr(model, "tree_"):
        trees = [model.tree_]
    elif isinstance(getattr(model, "estimators_", None), list):
        trees = [estimator.tree_ for estimator in model.estimators_]
    else:
        return None
    return [np.asarray(tree.__getstate__()["nodes"]["missing_go_to_left"], dtype=bool) for tree in trees]
