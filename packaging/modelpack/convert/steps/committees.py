"""Estimators that combine others: voting, stacking, bagging."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns, Matrix, columns_of, joined
from serinus.modelpack.convert.steps.merged_trees import are_trees, bagged, weighted_votes
from serinus.modelpack.convert.steps.translation import Translation


def vote_proba(translation: Translation, voting: Any, columns: Columns) -> str:
    """VotingClassifier(voting='soft'): the weighted mean of probabilities."""
    parts = [translation.predict_proba(part, columns) for part in list(voting.estimators_)]
    return translation.mean(parts, voting._weights_not_none)


def vote_label(translation: Translation, voting: Any, columns: Columns) -> str:
    """VotingClassifier: the class of the largest mean, or of the largest weight of votes."""
    nodes = translation.nodes
    if voting.voting == "soft":
        shares = translation.predict_proba(voting, columns)
    else:
        # Its estimators were trained on indices of the classes, and predict them.
        classes = nodes.constant(np.arange(len(voting.classes_), dtype=np.int64).reshape(1, -1))
        votes = [
            translation.doubles(
                nodes.add("Equal", [translation.column(translation.predict(part, columns)), classes])
            )
            for part in list(voting.estimators_)
        ]
        shares = translation.mean(votes, voting._weights_not_none)
    return translation.label_of_largest(voting.classes_, shares)


def votes(translation: Translation, voting: Any, columns: Columns) -> Matrix:
    """A voting ensemble as a transformer: its estimators' probabilities, labels or values side by side."""
    members = list(voting.estimators_)
    if getattr(voting, "voting", "hard") == "soft":
        parts = [translation.predict_proba(part, columns) for part in members]
        return Matrix(translation.beside(parts), len(parts) * len(voting.classes_))
    parts = [translation.doubles(translation.column(translation.predict(part, columns))) for part in members]
    return Matrix(translation.beside(parts), len(parts))


def vote_value(translation: Translation, voting: Any, columns: Columns) -> str:
    """VotingRegressor: the weighted mean."""
    parts = [translation.column(translation.predict(part, columns)) for part in list(voting.estimators_)]
    return translation.mean(parts, voting._weights_not_none)


def stack(translation: Translation, stacking: Any, columns: Columns) -> Columns:
    """The first layer's predictions, and the columns themselves with ``passthrough``."""
    parts = []
    names = [name for name, estimator in stacking.estimators if not isinstance(estimator, str)]
    methods = [method for method in stacking.stack_method_ if method is not None]
    for name, estimator, method in zip(names, stacking.estimators_, methods, strict=True):
        with translation.at(name):
            parts.append(_first_layer(translation, stacking, estimator, method, columns))
    if stacking.passthrough:
        parts.append(columns)
    return joined(parts, translation.run_source(stacking, "transform", columns.rows))


def _first_layer(
    translation: Translation, stacking: Any, estimator: Any, method: str, columns: Columns
) -> Columns:
    output = translation.run_source(estimator, method, columns.rows)
    if isinstance(output, list):
        raise translation.error(stacking, f"its {type(estimator).__name__} predicts several labels at once")
    tensor = getattr(translation, method)(estimator, columns)
    width = output.shape[1] if np.ndim(output) == 2 else 1
    tensor = translation.doubles(tensor if width > 1 else translation.column(tensor))
    whole = columns_of(Matrix(tensor, width), np.asarray(output).reshape(len(output), -1))
    if method == "predict_proba" and len(getattr(stacking, "classes_", ())) == 2:
        return whole.select(range(1, width))
    return whole


def stacked(method: str) -> Any:
    """The last estimator's ``method`` on the first layer."""

    def write(translation: Translation, stacking: Any, columns: Columns) -> str:
        layer = translation.transform(stacking, columns)
        with translation.at("final_estimator"):
            written = getattr(translation, method)(stacking.final_estimator_, layer)
        encoder = getattr(stacking, "_label_encoder", None)
        if method != "predict" or encoder is None:
            return str(written)
        if isinstance(encoder, list):
            raise translation.error(stacking, "several labels at once are not supported")
        return translation.label_at(encoder.classes_, written)

    return write


def bag_proba(translation: Translation, bagging: Any, columns: Columns) -> str:
    """BaggingClassifier: the mean of probabilities, or of votes where an estimator has none."""
    nodes = translation.nodes
    classes = len(bagging.classes_)
    if are_trees(bagging):
        return bagged(translation, bagging, columns, classes)
    parts = []
    for estimator, features in zip(bagging.estimators_, bagging.estimators_features_, strict=True):
        chosen = _on_features(columns, features)
        known = np.asarray(estimator.classes_, dtype=np.int64)
        if hasattr(estimator, "predict_proba"):
            shares = translation.predict_proba(estimator, chosen)
            if len(known) != classes:
                place = np.zeros((len(known), classes))
                place[np.arange(len(known)), known] = 1.0
                shares = nodes.add("MatMul", [shares, nodes.constant(place)])
        else:
            indices = nodes.constant(np.arange(classes, dtype=np.int64).reshape(1, -1))
            label = translation.column(translation.predict(estimator, chosen))
            shares = translation.doubles(nodes.add("Equal", [label, indices]))
        parts.append(shares)
    return translation.mean(parts)


def bag_value(translation: Translation, bagging: Any, columns: Columns) -> str:
    """BaggingRegressor: the mean."""
    if are_trees(bagging):
        return bagged(translation, bagging, columns, 0)
    parts = []
    for estimator, features in zip(bagging.estimators_, bagging.estimators_features_, strict=True):
        chosen = _on_features(columns, features)
        value = translation.predict(estimator, chosen)
        is_flat = np.ndim(translation.run_source(estimator, "predict", chosen.rows)) == 1
        parts.append(translation.column(value) if is_flat else value)
    return translation.mean(parts)


def _on_features(columns: Columns, features: Any) -> Columns:
    rows = columns.rows
    bare = Columns(columns.places, rows.to_numpy() if hasattr(rows, "to_numpy") else rows)
    return bare.select(np.asarray(features))


def boost_decision(translation: Translation, boosting: Any, columns: Columns) -> str:
    """AdaBoostClassifier: the mean of weighted votes; of two classes the second's less the first's, [rows, 1]."""
    nodes = translation.nodes
    if are_trees(boosting):
        votes = weighted_votes(translation, boosting, columns)
    else:
        votes = _votes_by_label(translation, boosting, columns)
    if len(boosting.classes_) != 2:
        return votes
    return nodes.add("Sub", [nodes.take(votes, [1]), nodes.take(votes, [0])])


def _votes_by_label(translation: Translation, boosting: Any, columns: Columns) -> str:
    nodes = translation.nodes
    classes = np.asarray(boosting.classes_)
    is_string = classes.dtype.kind in "OU"
    stored = classes.astype(str).astype(object) if is_string else classes.astype(np.int64)
    total = ""
    for estimator, weight in zip(boosting.estimators_, boosting.estimator_weights_, strict=False):
        label = translation.column(translation.predict(estimator, columns))
        is_class = nodes.add("Equal", [label, nodes.constant(stored.reshape(1, -1))])
        votes = nodes.add(
            "Where", [is_class, translation.row([weight]), translation.row([-weight / (len(classes) - 1)])]
        )
        total = votes if not total else nodes.add("Add", [total, votes])
    return nodes.add("Div", [total, translation.row([float(boosting.estimator_weights_.sum())])])


def boost_proba(translation: Translation, boosting: Any, columns: Columns) -> str:
    """The softmax of the decision by class."""
    nodes = translation.nodes
    decision = translation.decision_function(boosting, columns)
    classes = len(boosting.classes_)
    if classes == 2:
        return nodes.add("Softmax", [nodes.add("Mul", [decision, translation.row([-0.5, 0.5])])], axis=1)
    return nodes.add("Softmax", [nodes.add("Div", [decision, translation.row([classes - 1.0])])], axis=1)
