"""Ensembles of decision trees other than forests, as one TreeEnsemble: bagged trees, and AdaBoost."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from serinus.modelpack.convert.ensemble import Ensemble, Floats, Tree, read_tree
from serinus.modelpack.convert.steps.columns import Columns
from serinus.modelpack.convert.steps.translation import Translation
from serinus.modelpack.convert.trees import mean_vote, shares_of_classes, summed_votes


def are_trees(model: Any) -> bool:
    """Whether all its estimators are scikit-learn's single trees, of one target."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

    kinds = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)
    return all(type(part) in kinds and part.n_outputs_ == 1 for part in model.estimators_)


def _grown(model: Any, classes: int) -> Iterator[tuple[Any, Floats]]:
    """Each tree with the shares of the ensemble's ``classes``, or the value, of each node."""
    for part in model.estimators_:
        if not classes:
            yield part, part.tree_.value[:, 0, :]
            continue
        own = part.tree_.value[:, 0, :]
        shares = np.zeros((len(own), classes))
        shares[:, np.asarray(part.classes_, dtype=np.int64)] = shares_of_classes(own)
        yield part, shares


def bagged(translation: Translation, model: Any, columns: Columns, classes: int) -> str:
    """Bagged trees' mean: [rows, classes], or [rows, 1] of values where ``classes`` is 0."""
    ensemble = Ensemble(targets=classes or 1)
    for (part, votes), features in zip(_grown(model, classes), model.estimators_features_, strict=True):
        ensemble.plant(_on_features(read_tree(part.tree_, votes), np.asarray(features)))
    single = ensemble.sums_exactly_in_single() if classes else ensemble.sums_well_in_single()
    return mean_vote(
        translation.nodes, translation.numbers(columns), ensemble, len(model.estimators_), single=single
    )


def _on_features(tree: Tree, features: Any) -> Tree:
    return replace(tree, feature=features[np.where(tree.is_leaf, 0, tree.feature)])


def weighted_votes(translation: Translation, model: Any, columns: Columns) -> str:
    """AdaBoost's trees' votes, [rows, classes]: the tree's weight for its class, and less for each other."""
    classes = len(model.classes_)
    ensemble = Ensemble(targets=classes)
    for part, weight in zip(model.estimators_, model.estimator_weights_, strict=False):
        predicted = np.searchsorted(model.classes_, part.classes_[part.tree_.value[:, 0, :].argmax(axis=1)])
        votes = np.full((len(predicted), classes), -weight / (classes - 1))
        votes[np.arange(len(predicted)), predicted] = weight
        ensemble.plant(read_tree(part.tree_, votes))
    total = summed_votes(translation.nodes, translation.numbers(columns), ensemble, unrounded=True)
    return translation.nodes.add("Div", [total, translation.row([float(model.estimator_weights_.sum())])])
