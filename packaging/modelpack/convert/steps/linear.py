"""Linear decisions in double precision, and labels by decisions or probabilities, of any classifier."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns
from serinus.modelpack.convert.steps.translation import Translation


def decide(translation: Translation, model: Any, columns: Columns) -> str:
    """[rows, 1], or [rows, classes]."""
    nodes = translation.nodes
    weights = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64)).T.copy()
    product = nodes.add("MatMul", [translation.numbers(columns), nodes.constant(weights)])
    return nodes.add("Add", [product, translation.row(np.broadcast_to(model.intercept_, weights.shape[1]))])


def predict_side(translation: Translation, model: Any, columns: Columns) -> str:
    """Of two classes the second where the decision is positive, else the largest decision's; of several labels at
    once those with a positive decision."""
    decision = translation.decision_function(model, columns)
    binarizer = getattr(model, "_label_binarizer", None)
    if binarizer is not None and binarizer.y_type_.startswith("multilabel"):
        zero = translation.nodes.constant(np.array([0.0]))
        return translation.nodes.cast(translation.nodes.add("Greater", [decision, zero]), np.int64)
    if len(model.classes_) == 2:
        return translation.label_at(model.classes_, translation.above(decision, 0.0))
    return translation.label_of_largest(model.classes_, decision)


def most_probable(translation: Translation, model: Any, columns: Columns) -> str:
    """The class of the largest probability."""
    return translation.label_of_largest(model.classes_, translation.predict_proba(model, columns))
