"""Pruning is exact: what changes nothing is left out, what might is kept."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import IsolationForest

from serinus.modelpack.convert.ensemble import Ensemble, Tree, constant_tree
from serinus.modelpack.convert.stored_once import store_once
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.sample import fit_to_model
from serinus.modelpack.sources.sklearn import SklearnSource

RANDOM = np.random.default_rng(3)


def _oblivious(leaves: list[float]) -> Tree:
    """A tree of depth two, the same split at both nodes of its second level, as CatBoost's are."""
    return Tree(
        left=np.array([1, 3, 5, -1, -1, -1, -1]),
        right=np.array([2, 4, 6, -1, -1, -1, -1]),
        feature=np.array([0, 1, 1, 0, 0, 0, 0]),
        threshold=np.array([0.5, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0]),
        missing_left=np.zeros(7, dtype=bool),
        votes=np.array([0.0, 0.0, 0.0, *leaves])[:, None],
    )


def _predict(ensemble: Ensemble, rows: Any) -> Any:
    node = helper.make_node("TreeEnsemble", ["x"], ["y"], domain="ai.onnx.ml", **ensemble.attributes())
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["n", 1])],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(["y"], {"x": rows})[0][:, 0]


def test_split_with_the_same_vote_on_both_sides_is_left_out() -> None:
    ensemble = Ensemble(targets=1)
    ensemble.plant(_oblivious([1.0, 2.0, 3.0, 3.0]))
    assert len(ensemble.feature) == 2
    rows = RANDOM.random((200, 2))
    expected = np.where(rows[:, 0] > 0.5, 3.0, np.where(rows[:, 1] > 0.25, 2.0, 1.0))
    assert (_predict(ensemble, rows) == expected).all()
    assert (_predict(ensemble, np.full((1, 2), np.nan)) == 3.0).all()


def test_vain_splits_are_left_out_up_to_the_root() -> None:
    ensemble = Ensemble(targets=1)
    ensemble.plant(_oblivious([4.0, 4.0, 4.0, 4.0]))
    assert len(ensemble.feature) == 1
    assert (_predict(ensemble, RANDOM.random((20, 2))) == 4.0).all()


def test_tree_of_zeros_is_left_out_unless_it_is_the_only_one() -> None:
    ensemble = Ensemble(targets=1)
    ensemble.plant(constant_tree(0.0))
    assert len(ensemble.roots) == 1
    ensemble.plant(_oblivious([0.0, 0.0, 0.0, 0.0]))
    assert len(ensemble.roots) == 1
    ensemble.plant(_oblivious([0.0, 0.0, 0.0, 1.0]))
    assert len(ensemble.roots) == 2


def test_leaves_for_different_targets_are_different() -> None:
    tree = Tree(
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        feature=np.array([0, 0, 0]),
        threshold=np.array([0.5, 0.0, 0.0]),
        missing_left=np.zeros(3, dtype=bool),
        votes=np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
    )
    ensemble = Ensemble(targets=2)
    ensemble.plant(tree)
    assert ensemble.leaf_target == [0, 1]


def test_isolation_forest_shrinks_and_scores_the_same() -> None:
    rows = RANDOM.normal(size=(400, 4))
    model = IsolationForest(n_estimators=20, random_state=0).fit(rows)
    sample = fit_to_model(pd.DataFrame(rows, columns=list("abcd")), names=None, count=4)
    source = SklearnSource(model)
    graph = next(iter(source.graphs(sample)))
    nodes = sum(len(attribute.ints) for attribute in _trees(graph.model) if attribute.name == "nodes_featureids")
    splits = sum((tree.tree_.children_left >= 0).sum() for tree in model.estimators_)
    assert nodes < 0.9 * splits
    scores = Runner(graph.model, sample)(sample.frame)["scores"]
    assert scores == pytest.approx(model.decision_function(rows), abs=1e-12)


def _trees(model: bytes) -> list[Any]:
    return [item for node in onnx.load_from_string(model).graph.node for item in node.attribute]


def _tied(*, inner: bool = False) -> bytes:
    weights = RANDOM.normal(size=(16, 16)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "first"], ["a"], name="one"),
        helper.make_node("MatMul", ["a", "second"], ["b"], name="two"),
        helper.make_node("MatMul", ["b", "other"], ["y"], name="three"),
    ]
    if inner:
        branch = helper.make_graph(
            [helper.make_node("MatMul", ["x", "inside"], ["z"], name="inner")],
            "branch",
            [],
            [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
        )
        nodes = [helper.make_node("If", ["yes"], ["y"], name="if", then_branch=branch, else_branch=branch)]
    stored = {
        "first": weights,
        "second": weights,
        "other": weights.T.copy(),
        "unread": weights + 1.0,
        "inside": weights + 2.0,
    }
    if inner:
        stored["yes"] = np.array(True)
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(values, name) for name, values in stored.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()


def _stored(model: bytes) -> set[str]:
    return {tensor.name for tensor in onnx.load_from_string(model).graph.initializer}


def test_equal_tensors_are_stored_once_and_unread_ones_not_at_all() -> None:
    model = _tied()
    pruned = store_once(model)
    assert _stored(pruned) == {"first", "other"}
    rows = RANDOM.normal(size=(5, 16)).astype(np.float32)
    before, after = (
        onnxruntime.InferenceSession(item, providers=["CPUExecutionProvider"]).run(["y"], {"x": rows})[0]
        for item in (model, pruned)
    )
    assert (before == after).all()
    assert store_once(pruned) is pruned


def test_tensor_that_an_inner_graph_reads_stays() -> None:
    assert _stored(store_once(_tied(inner=True))) == {"inside", "yes"}
