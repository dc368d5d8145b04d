"""Several targets, and classifiers made of classifiers of two classes."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns, Matrix, columns_of, joined
from serinus.modelpack.convert.steps.leaf import Leaf
from serinus.modelpack.convert.steps.pairs import votes_and_scores
from serinus.modelpack.convert.steps.translation import Translation


def predict_each(translation: Translation, model: Any, columns: Columns) -> str:
    """MultiOutputClassifier and MultiOutputRegressor: one estimator a target, side by side."""
    parts = []
    for number, estimator in enumerate(model.estimators_):
        with translation.at(f"target {number}"):
            parts.append(translation.column(translation.predict(estimator, columns)))
    kinds = [
        np.asarray(getattr(estimator, "classes_", [0.0])).dtype.kind in "OU" for estimator in model.estimators_
    ]
    if any(kinds) and not all(kinds):
        raise translation.error(model, "some of its targets have numbers as labels and others strings")
    return translation.beside(parts)


def probabilities_each(translation: Translation, model: Any, columns: Columns) -> str:
    """MultiOutputClassifier: the classes of all targets side by side."""
    parts = []
    for number, estimator in enumerate(model.estimators_):
        with translation.at(f"target {number}"):
            parts.append(translation.predict_proba(estimator, columns))
    return translation.beside(parts)


def neighbours_label(translation: Translation, model: Any, columns: Columns) -> str:
    """KNeighborsClassifier; of several labels at once each by itself."""
    if not model.outputs_2d_:
        return str(Leaf(translation, model, columns).write("predict"))
    parts = [translation.column(translation.predict(part, columns)) for part in _one_a_label(model)]
    return translation.beside(parts)


def neighbours_probabilities(translation: Translation, model: Any, columns: Columns) -> str:
    """KNeighborsClassifier; of several labels at once the classes of all side by side."""
    if not model.outputs_2d_:
        return str(Leaf(translation, model, columns).write("predict_proba"))
    return translation.beside([translation.predict_proba(part, columns) for part in _one_a_label(model)])


def _one_a_label(model: Any) -> list[Any]:
    """Neighbours of one label each: the rows are the same."""
    parts = []
    for number, classes in enumerate(model.classes_):
        part = copy.copy(model)
        part.classes_, part._y, part.outputs_2d_ = classes, model._y[:, number], False
        parts.append(part)
    return parts


def chain(translation: Translation, model: Any, columns: Columns) -> str:
    """ClassifierChain and RegressorChain: each estimator gets the predictions of those before it."""
    side = _chained(translation, model, columns, lambda estimator, known: translation.predict(estimator, known))
    return translation.nodes.cast(side, np.int64) if hasattr(model, "classes_") else side


def chain_probabilities(translation: Translation, model: Any, columns: Columns) -> str:
    """ClassifierChain: the probability of each label."""

    def second(estimator: Any, known: Columns) -> str:
        return translation.nodes.take(translation.predict_proba(estimator, known), [1])

    return _chained(translation, model, columns, second)


def _chained(translation: Translation, model: Any, columns: Columns, answer: Callable[[Any, Columns], str]) -> str:
    """What ``answer`` writes for each estimator, in the order of the targets, [rows, targets] of doubles."""
    method = getattr(model, "chain_method_", "predict")
    rows = np.asarray(columns.rows, dtype=np.float64)
    before: list[Columns] = []
    outputs: list[str] = []
    for number, estimator in enumerate(model.estimators_):
        known = joined([Columns(columns.places, rows), *before], rows)
        with translation.at(f"chain {number}"):
            if method == "predict":
                feature = translation.column(translation.predict(estimator, known))
            else:
                feature = translation.column(translation.response(estimator, known, (method,))[1])
            answered = translation.column(answer(estimator, known))
        feature_rows = _feature(translation, estimator, method, rows)
        rows = np.hstack([rows, feature_rows])
        before.append(columns_of(Matrix(translation.doubles(feature), 1), feature_rows))
        outputs.append(translation.doubles(answered))
    inverse = np.empty(len(outputs), dtype=np.int64)
    inverse[np.asarray(model.order_)] = np.arange(len(outputs))
    return translation.beside([outputs[index] for index in inverse])


def _feature(translation: Translation, estimator: Any, method: str, rows: Any) -> Any:
    values = np.asarray(translation.run_source(estimator, method, rows), dtype=np.float64)
    values = values[:, 1] if method == "predict_proba" else values
    return values.reshape(len(rows), 1)


def _score(translation: Translation, estimator: Any, columns: Columns) -> str:
    """[rows, 1]: a classifier of two classes' decision, or the second's probability."""
    if type(estimator).__name__ == "_ConstantPredictor":
        nodes = translation.nodes
        zero = nodes.add("Mul", [nodes.take(translation.numbers(columns), [0]), translation.row([0.0])])
        finite = nodes.add("Where", [nodes.add("IsNaN", [zero]), translation.row([0.0]), zero])
        return nodes.add("Add", [finite, translation.row([float(estimator.y_[0])])])
    if not hasattr(estimator, "classes_"):
        return translation.column(translation.predict(estimator, columns))
    _, score = translation.response(estimator, columns, ("decision_function", "predict_proba"))
    return score


def _threshold(estimator: Any) -> float:
    from sklearn.base import is_classifier

    return 0.0 if hasattr(estimator, "decision_function") and is_classifier(estimator) else 0.5


def one_vs_rest_decision(translation: Translation, model: Any, columns: Columns) -> str:
    """The scores of all estimators side by side."""
    return translation.beside([_score(translation, estimator, columns) for estimator in model.estimators_])


def one_vs_rest_label(translation: Translation, model: Any, columns: Columns) -> str:
    """OneVsRestClassifier: the largest score's class, of equals the first; of several labels at once those above
    the threshold."""
    nodes = translation.nodes
    scores = one_vs_rest_decision(translation, model, columns)
    if model.label_binarizer_.y_type_ == "multiclass":
        return translation.label_of_largest(model.classes_, scores)
    threshold = _threshold(model.estimators_[0])
    if model.multilabel_:
        reached = nodes.add("Greater", [scores, nodes.constant(np.array([threshold]))])
        return nodes.cast(reached, np.int64)
    return translation.label_at(model.classes_, translation.above(scores, threshold))


def one_vs_rest_proba(translation: Translation, model: Any, columns: Columns) -> str:
    """The estimators' probabilities, divided by their sum where it is not 0."""
    nodes = translation.nodes
    parts = []
    for estimator in model.estimators_:
        if type(estimator).__name__ == "_ConstantPredictor":
            parts.append(_score(translation, estimator, columns))
        else:
            parts.append(nodes.take(translation.predict_proba(estimator, columns), [1]))
    if len(parts) == 1:
        parts.insert(0, nodes.add("Sub", [translation.row([1.0]), parts[0]]))
    side = translation.beside(parts)
    if model.multilabel_:
        return side
    return translation.divided_by_sum(side, otherwise=translation.row([0.0]))


def one_vs_one_decision(translation: Translation, model: Any, columns: Columns) -> str:
    """OneVsOneClassifier: votes of all pairs, and less than a third of a vote for the sum of their scores."""
    nodes = translation.nodes
    if getattr(model, "pairwise_indices_", None) is not None:
        raise translation.error(model, "its estimators get a precomputed kernel")
    classes = len(model.classes_)
    labels = [translation.column(translation.predict(part, columns)) for part in model.estimators_]
    second_wins = translation.doubles(translation.beside(labels))
    scores = translation.beside([_score(translation, part, columns) for part in model.estimators_])
    decision = votes_and_scores(translation, second_wins, scores, classes)
    return nodes.take(decision, [1]) if classes == 2 else decision


def one_vs_one_label(translation: Translation, model: Any, columns: Columns) -> str:
    """The class of the largest decision; of two classes by the threshold."""
    decision = translation.decision_function(model, columns)
    if len(model.classes_) == 2:
        return translation.label_at(model.classes_, translation.above(decision, _threshold(model.estimators_[0])))
    return translation.label_of_largest(model.classes_, decision)


def output_code_label(translation: Translation, model: Any, columns: Columns) -> str:
    """OutputCodeClassifier: the class whose code is nearest to the scores."""
    nodes = translation.nodes
    scores = translation.beside([_score(translation, part, columns) for part in model.estimators_])
    codes = np.asarray(model.code_book_, dtype=np.float64)
    # Nearest is where |code|^2 / 2 - scores . code is smallest.
    product = nodes.add("MatMul", [scores, nodes.constant(codes.T.copy())])
    distance = nodes.add("Sub", [translation.row((codes**2).sum(axis=1) / 2), product])
    return translation.label_at(model.classes_, nodes.add("ArgMin", [distance], axis=1, keepdims=0))


#: ONNX's operators for the activations of scikit-learn's networks.
_ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid", "identity": "Identity"}


def network_label(translation: Translation, model: Any, columns: Columns) -> str:
    """MLPClassifier; of several labels at once those whose probability is above a half."""
    if not model._label_binarizer.y_type_.startswith("multilabel"):
        return str(Leaf(translation, model, columns).write("predict"))
    nodes = translation.nodes
    value = _network(translation, model, columns)
    return nodes.cast(nodes.add("Greater", [value, nodes.constant(np.array([0.5]))]), np.int64)


def network_probabilities(translation: Translation, model: Any, columns: Columns) -> str:
    """MLPClassifier; of several labels at once the probability of each."""
    if not model._label_binarizer.y_type_.startswith("multilabel"):
        return str(Leaf(translation, model, columns).write("predict_proba"))
    return _network(translation, model, columns)


def _network(translation: Translation, model: Any, columns: Columns) -> str:
    """The sigmoids of a network's last layer."""
    nodes = translation.nodes
    value = translation.numbers(columns)
    last = len(model.coefs_) - 1
    for number, (weights, intercepts) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        value = nodes.add("MatMul", [value, nodes.constant(np.asarray(weights, dtype=np.float64))])
        value = nodes.add("Add", [value, translation.row(intercepts)])
        value = nodes.add("Sigmoid" if number == last else _ACTIVATIONS[model.activation], [value])
    return value
