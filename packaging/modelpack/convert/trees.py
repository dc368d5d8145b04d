"""scikit-learn's tree models as graphs: the ensemble's sum, and each kind of model's use of it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.modelpack.convert.boosted import with_complement
from serinus.modelpack.convert.ensemble import Ensemble, Tree, constant_tree, read_tree
from serinus.modelpack.convert.histogram import read_stages
from serinus.modelpack.convert.nodes import NEWER_ML, Nodes


def infer_classifier_shape(operator: Any) -> None:
    """Labels [rows] or [rows, targets], probabilities [rows, classes] (of the first target)."""
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    labels = operator.raw_operator.classes_
    several = isinstance(labels, list)
    classes = np.asarray(labels[0] if several else labels)
    kind = Int64TensorType if classes.dtype.kind in "biuf" else StringTensorType
    operator.outputs[0].type = kind([None, len(labels)] if several else [None])
    operator.outputs[1].type = number_type(operator)([None, len(classes)])


def infer_regressor_shape(operator: Any) -> None:
    """Values [rows, targets]."""
    targets = int(getattr(operator.raw_operator, "n_outputs_", 1))
    operator.outputs[0].type = number_type(operator)([None, targets])


def shares_of_classes(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Shares [nodes, classes]. Trees hold shares themselves since scikit-learn 1.3, and dividing them by their sum
    would change their last digits, which decide ties; earlier ones hold counts."""
    totals = values.sum(axis=1, keepdims=True)
    return values if np.allclose(totals, 1.0, rtol=0.0, atol=1e-6) else values / totals


def convert_forest_classifier(scope: Any, operator: Any, container: Any) -> None:
    """Decision trees and forests: the mean of the trees' shares of classes."""
    nodes = Nodes(scope, container)
    forest = operator.raw_operator
    trees = _trees(forest)
    if isinstance(forest.classes_, list):
        _convert_several_labels(nodes, operator, trees)
        return
    classes = len(forest.classes_)
    ensemble = Ensemble(targets=1 if classes == 2 else classes)
    for tree in trees:
        shares = shares_of_classes(tree.value[:, 0, :])
        ensemble.plant(read_tree(tree, shares[:, 1:] if classes == 2 else shares))
    mean = mean_vote(
        nodes, nodes.side_by_side(operator.inputs), ensemble, len(trees), single=ensemble.sums_exactly_in_single()
    )
    probabilities = with_complement(nodes, mean) if classes == 2 else mean
    set_classifier_outputs(nodes, operator, probabilities, first_largest(nodes, probabilities))


def _convert_several_labels(nodes: Nodes, operator: Any, trees: list[Any]) -> None:
    """A forest for each target; labels side by side, and so are the shares of all targets' classes."""
    columns, sides = [], []
    for target, classes in enumerate(operator.raw_operator.classes_):
        ensemble = Ensemble(targets=len(classes))
        for tree in trees:
            shares = tree.value[:, target, : len(classes)]
            ensemble.plant(read_tree(tree, shares_of_classes(shares)))
        shares = mean_vote(
            nodes,
            nodes.side_by_side(operator.inputs),
            ensemble,
            len(trees),
            single=ensemble.sums_exactly_in_single(),
        )
        sides.append(shares)
        index = nodes.add("ArgMax", [shares], axis=1, keepdims=1)
        columns.append(label_at(nodes, classes, index))
    nodes.name(nodes.add("Concat", columns, axis=1), operator.outputs[0])
    set_output(nodes, operator, 1, nodes.add("Concat", sides, axis=1))


def convert_forest_regressor(scope: Any, operator: Any, container: Any) -> None:
    """Decision trees and forests: the mean of the trees' values."""
    nodes = Nodes(scope, container)
    trees = _trees(operator.raw_operator)
    ensemble = Ensemble(targets=trees[0].value.shape[1])
    for tree in trees:
        ensemble.plant(read_tree(tree, tree.value[:, :, 0]))
    set_output(
        nodes,
        operator,
        0,
        mean_vote(
            nodes, nodes.side_by_side(operator.inputs), ensemble, len(trees), single=ensemble.sums_well_in_single()
        ),
    )


def convert_boosting_classifier(scope: Any, operator: Any, container: Any) -> None:
    """GradientBoostingClassifier: learning rate times the sum, from the prior on, through its loss' link."""
    nodes = Nodes(scope, container)
    model = operator.raw_operator
    raw = boosted_sum(nodes, model, nodes.side_by_side(operator.inputs))
    if len(model.classes_) == 2:
        scaled = raw
        if model.loss == "exponential":
            scaled = nodes.add("Mul", [raw, nodes.constant(np.array([2.0]))])
        probabilities = with_complement(nodes, nodes.add("Sigmoid", [scaled]))
        index = side_of_zero(nodes, raw, zero_is_second=True)
    else:
        probabilities = nodes.add("Softmax", [raw], axis=1)
        index = first_largest(nodes, raw)
    set_classifier_outputs(nodes, operator, probabilities, index)


def convert_boosting_regressor(scope: Any, operator: Any, container: Any) -> None:
    """GradientBoostingRegressor: learning rate times the sum, from the prior on."""
    nodes = Nodes(scope, container)
    set_output(nodes, operator, 0, boosted_sum(nodes, operator.raw_operator, nodes.side_by_side(operator.inputs)))


def convert_histogram_classifier(scope: Any, operator: Any, container: Any) -> None:
    """HistGradientBoostingClassifier, which compares doubles as they are."""
    nodes = Nodes(scope, container)
    raw = histogram_sum(nodes, operator.raw_operator, nodes.side_by_side(operator.inputs))
    if len(operator.raw_operator.classes_) == 2:
        probabilities = with_complement(nodes, nodes.add("Sigmoid", [raw]))
    else:
        probabilities = nodes.add("Softmax", [raw], axis=1)
    set_classifier_outputs(nodes, operator, probabilities, first_largest(nodes, probabilities))


def convert_histogram_regressor(scope: Any, operator: Any, container: Any) -> None:
    """HistGradientBoostingRegressor: the sum, through its loss' link."""
    nodes = Nodes(scope, container)
    raw = histogram_sum(nodes, operator.raw_operator, nodes.side_by_side(operator.inputs))
    has_log_link = operator.raw_operator.loss in ("poisson", "gamma")
    set_output(nodes, operator, 0, nodes.add("Exp", [raw]) if has_log_link else raw)


def _trees(model: Any) -> list[Any]:
    return [model.tree_] if hasattr(model, "tree_") else [estimator.tree_ for estimator in model.estimators_]


def boosted_sum(nodes: Nodes, model: Any, inputs: str) -> str:
    """GradientBoosting's decision, [rows, 1 or classes]: the prior, and each stage's trees shrunk by the learning
    rate."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    if model.init_ != "zero" and not isinstance(model.init_, (DummyClassifier, DummyRegressor)):
        raise NotImplementedError(f"{type(model).__name__}(init={type(model.init_).__name__}) is not supported")
    rate = model.learning_rate
    stages = (
        [read_tree(estimator.tree_, estimator.tree_.value[:, :, 0] * rate) for estimator in stage]
        for stage in model.estimators_
    )
    prior = model._raw_predict_init(np.zeros((1, model.n_features_in_)))
    values = nodes.cast(inputs, np.float64)
    return _staged(nodes, values, stages, prior, model.estimators_.shape[1], unrounded=True)


def histogram_sum(nodes: Nodes, model: Any, inputs: str) -> str:
    """HistGradientBoosting's decision, [rows, 1 or classes]."""
    values = nodes.cast(inputs, np.float64)
    return _staged(nodes, values, read_stages(model), model._baseline_prediction, model.n_trees_per_iteration_)


def _staged(
    nodes: Nodes, values: str, stages: Iterable[list[Tree]], prior: Any, targets: int, *, unrounded: bool = False
) -> str:
    """The prior is the first tree, as the sources begin their sums with it."""
    ensemble = Ensemble(targets=targets)
    for target, start in enumerate(np.asarray(prior, dtype=np.float64).ravel()):
        ensemble.plant(constant_tree(float(start)), target)
    for stage in stages:
        for target, tree in enumerate(stage):
            ensemble.plant(tree, target)
    return summed_votes(nodes, values, ensemble, unrounded=unrounded)


def mean_vote(nodes: Nodes, inputs: str, ensemble: Ensemble, trees: int, *, single: bool) -> str:
    """The trees' mean vote, divided in double; ``single``: compared and summed in single precision."""
    values = nodes.cast(inputs, np.float32 if single else np.float64)
    total = summed_votes(nodes, values, ensemble, single=single, unrounded=not single)
    total = nodes.cast(total, np.float64) if single else total
    return nodes.add("Div", [total, nodes.constant(np.array([float(trees)]))])


def summed_votes(
    nodes: Nodes, values: str, ensemble: Ensemble, *, single: bool = False, unrounded: bool = False
) -> str:
    """``unrounded``: scikit-learn's trees round their input, computed in double, to single precision; here their
    thresholds are moved to where a double rounds across them. Rounding earlier moves values across thresholds: a
    scaler in single precision before a forest changed 899 of 5000 labels."""
    attributes = ensemble.attributes(single=single, unrounded=unrounded)
    return nodes.add("TreeEnsemble", [values], domain=NEWER_ML, since=1, **attributes)


def first_largest(nodes: Nodes, values: str) -> str:
    """As numpy.argmax does: of equals the first."""
    return nodes.add("ArgMax", [values], axis=1, keepdims=0)


def side_of_zero(nodes: Nodes, raw: str, *, zero_is_second: bool) -> str:
    """[rows]: 0 where ``raw`` [rows, 1] is negative, 1 where it is positive. Its sign decides and not its sigmoid,
    which rounds to a half on both sides of zero."""
    sides = nodes.add("Mul", [raw, nodes.constant(np.array([[-1.0, 1.0]]))])
    return nodes.add("ArgMax", [sides], axis=1, keepdims=0, select_last_index=int(zero_is_second))


def set_classifier_outputs(nodes: Nodes, operator: Any, probabilities: str, index: str) -> None:
    """Set labels, by class ``index``, and probabilities as the operator's outputs."""
    nodes.name(label_at(nodes, np.asarray(operator.raw_operator.classes_), index), operator.outputs[0])
    set_output(nodes, operator, 1, probabilities)


def label_at(nodes: Nodes, classes: npt.NDArray[Any], index: str) -> str:
    """The classes at ``index`` (int64), of its shape: the integers from 0 on are their own indices."""
    if classes.dtype.kind in "iu" and np.array_equal(classes, np.arange(len(classes))):
        return index
    return nodes.add("Gather", [nodes.constant(_stored_classes(classes)), index], axis=0)


def _stored_classes(classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if classes.dtype.kind in "biuf":
        return classes.astype(np.int64)
    return np.array([str(label) for label in classes], dtype=object)


def set_output(nodes: Nodes, operator: Any, index: int, value: str) -> None:
    """Set output ``index``, in the precision that the shape calculator declared."""
    promised = nodes.numpy_type(operator.outputs[index])
    nodes.name(value if promised == np.float64 else nodes.cast(value, promised), operator.outputs[index])


def number_type(operator: Any) -> Any:
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    is_single = any(isinstance(variable.type, FloatTensorType) for variable in operator.inputs)
    return FloatTensorType if is_single else DoubleTensorType
