"""Classifiers with a decision threshold: labels by it, probabilities of the estimator inside."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns
from serinus.modelpack.convert.steps.translation import Translation


def inside(model: Any) -> Any:
    """The fitted estimator inside a threshold classifier."""
    return getattr(model, "estimator_", model.estimator)


def label(translation: Translation, model: Any, columns: Columns) -> str:
    """The positive class from the threshold on, as in scikit-learn."""
    nodes = translation.nodes
    order = getattr(model, "response_method", "auto")
    # TunedThresholdClassifierCV's response_method is in its scorer; both prefer probabilities.
    methods = ("predict_proba", "decision_function") if order == "auto" else (order,)
    method = next((name for name in methods if hasattr(inside(model), name)), methods[0])
    positive = _positive_index(model)
    written = getattr(translation, method)(inside(model), columns)
    if method == "predict_proba":
        score = nodes.take(written, [positive])
    else:
        score = written if positive == 1 else nodes.add("Neg", [written])
    reached = translation.above(score, _threshold(model, method), or_equal=True)
    classes = nodes.constant(np.array([1 - positive, positive], dtype=np.int64))
    return translation.label_at(model.classes_, nodes.add("Gather", [classes, reached], axis=0))


def _threshold(model: Any, method: str) -> float:
    if hasattr(model, "best_threshold_"):
        return float(model.best_threshold_)
    if model.threshold == "auto":
        return 0.5 if method == "predict_proba" else 0.0
    return float(model.threshold)


def _positive_index(model: Any) -> int:
    """The index of the class whose score is compared."""
    scorer = getattr(model, "_curve_scorer", None)
    label = model.pos_label if scorer is None else scorer._get_pos_label()
    return 1 if label is None else int(np.flatnonzero(np.asarray(model.classes_) == label)[0])
