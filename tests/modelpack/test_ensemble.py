"""Trees laid into one operator: what a leaf may vote, and trees that are a single leaf."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor

from serinus.modelpack.convert.ensemble import Ensemble, Tree, _before_rounding, _rounded_down, read_tree
from serinus.modelpack.onnx_run import Runner
from serinus.modelpack.sample import fit_to_model
from serinus.modelpack.sources.sklearn import SklearnSource


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
    assert ensemble.true_child == ensemble.false_child == [0]
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
        np.testing.assert_allclose(got[name], expected, rtol=1e-6 if name == "value" else 1e-12)


def test_threshold_rounded_down_decides_every_single_precision_input_alike() -> None:
    random = np.random.default_rng(3)
    thresholds = np.concatenate([random.normal(0.0, 10.0**power, 2000) for power in (-40, -3, 0, 8, 37, 60)])
    rounded = _rounded_down(thresholds)
    assert rounded.dtype == np.float32
    with np.errstate(over="ignore"):
        near = thresholds.astype(np.float32)
    for values in (near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf))):
        assert ((values <= rounded) == (values.astype(np.float64) <= thresholds)).all()


def test_threshold_before_rounding_is_the_last_double_that_rounds_to_no_more() -> None:
    random = np.random.default_rng(3)
    powers = (-46, -44, -40, -3, 0, 8, 37, 60)
    drawn = np.concatenate([random.normal(0.0, 10.0**power, 2000) for power in powers])
    largest = float(np.finfo(np.float32).max)
    thresholds = np.concatenate([drawn, drawn[:14000].astype(np.float32), [0.0, -0.0, largest, -largest]])
    limits = _before_rounding(thresholds)
    with np.errstate(over="ignore"):
        assert (limits.astype(np.float32) <= thresholds).all()
        assert (np.nextafter(limits, np.inf).astype(np.float32) > thresholds).all()


def test_equal_leaves_are_written_once_and_reached_from_everywhere() -> None:
    ensemble = Ensemble(targets=1)
    for votes in ([[2.0], [5.0]], [[5.0], [2.0]], [[5.0], [7.0]]):
        ensemble.plant(_tree(votes))
    written = ensemble.attributes()
    weights = numpy_helper.to_array(written["leaf_weights"])
    assert weights.tolist() == [5.0, 2.0, 7.0]
    assert weights[written["nodes_truenodeids"]].tolist() == [2.0, 5.0, 5.0]
    assert weights[written["nodes_falsenodeids"]].tolist() == [5.0, 2.0, 7.0]


@pytest.mark.parametrize(
    ("votes", "exactly"),
    [([0.0, 1.0], True), ([0.25, 0.75], True), ([1 / 3, 2 / 3], False), ([2.0**24, 1.0], False)],
)
def test_votes_of_halvings_sum_exactly_in_single(votes: list[float], exactly: bool) -> None:
    ensemble = Ensemble(targets=1)
    ensemble.plant(_tree([[vote] for vote in votes]))
    assert ensemble.sums_exactly_in_single() is exactly


@pytest.mark.parametrize(("start", "kind"), [(0.0, np.float32), (1.7e9, np.float64)])
def test_values_are_summed_in_single_only_where_their_range_allows(
    start: float, kind: type, numbers: object, score: np.ndarray
) -> None:
    forest = RandomForestRegressor(20, random_state=0).fit(numbers, score + start)
    source = SklearnSource(forest)
    sample = fit_to_model(numbers, names=source.feature_names, count=None)  # type: ignore[arg-type]
    graph = next(source.graphs(sample)).model
    (node,) = (node for node in onnx.load_from_string(graph).graph.node if node.op_type == "TreeEnsemble")
    splits = next(item.t for item in node.attribute if item.name == "nodes_splits")
    assert numpy_helper.to_array(splits).dtype == kind
    spread = np.ptp(score)
    assert np.abs(Runner(graph, sample)(sample.frame)["value"] - forest.predict(numbers)).max() < 1e-5 * spread
