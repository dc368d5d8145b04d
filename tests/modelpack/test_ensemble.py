"""Trees laid into one operator: what a leaf may vote, and trees that are a single leaf."""

import numpy as np
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeRegressor

from modelpack.convert.ensemble import Ensemble, Tree, read_tree
from modelpack.run import Runner
from modelpack.sample import fit_to_model
from modelpack.sources.sklearn import SklearnSource


def _tree(votes: list[list[float]]) -> Tree:
    """A root with two leaves."""
    return Tree(
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        feature=np.array([0, -2, -2]),
        threshold=np.array([0.5, -2.0, -2.0]),
        missing_left=np.array([True, False, False]),
        votes=np.array([[0.0] * len(votes[0]), *votes]),
    )


def test_pure_leaves_are_planted_once() -> None:
    ensemble = Ensemble(targets=2)
    ensemble.plant(_tree([[1.0, 0.0], [0.0, 1.0]]))
    assert len(ensemble.roots) == 1
    assert (ensemble.leaf_target, ensemble.leaf_weight) == ([0, 1], [1.0, 1.0])


def test_second_votes_are_planted_again_without_branches_that_have_none() -> None:
    ensemble = Ensemble(targets=2)
    ensemble.plant(_tree([[1.0, 0.0], [0.25, 0.75]]))
    assert len(ensemble.roots) == 2
    assert sum(ensemble.leaf_weight) == 2.0
    assert ensemble.leaf_weight[2:] == [0.0, 0.75]


def test_single_leaf_is_a_split_with_the_leaf_on_both_sides() -> None:
    ensemble = Ensemble(targets=1)
    tree = DecisionTreeRegressor().fit([[1.0], [2.0]], [3.0, 3.0]).tree_
    ensemble.plant(read_tree(tree, tree.value[:, :, 0]))
    assert ensemble.leaf_weight == [3.0]
    assert ensemble.true_place == ensemble.false_place == [0]
    assert ensemble.true_is_leaf == ensemble.false_is_leaf == [1]


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_depth=1),
        RandomForestClassifier(3, max_depth=1, random_state=0),
        ExtraTreesClassifier(3, max_leaf_nodes=5, random_state=0),
        GradientBoostingClassifier(n_estimators=3, loss="exponential"),
        HistGradientBoostingRegressor(max_iter=3, loss="poisson"),
    ],
)
def test_unusual_trees_agree(model: object, numbers: object, score: np.ndarray) -> None:
    labels = np.abs(score) if "Regressor" in type(model).__name__ else score > 0
    source = SklearnSource(model.fit(numbers, labels))  # type: ignore[attr-defined]
    sample = fit_to_model(numbers, names=source.feature_names, count=None)  # type: ignore[arg-type]
    got = Runner(next(source.graphs(sample)).model, sample)(sample.frame)
    for name, expected in source.predict(sample.frame).items():
        np.testing.assert_allclose(got[name], expected, rtol=1e-12)
