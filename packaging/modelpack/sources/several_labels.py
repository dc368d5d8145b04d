"""Classifiers of several labels at once: scikit-learn's multi-label and multi-output models.

Each label has the probabilities of its own classes, in an output of its own.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from serinus.lambda_handlers.contract.agreement import Outputs
from serinus.modelpack.sources.source import Label

#: The output of a label's probabilities, [rows, its classes].
NAME = "probabilities_{}"
#: Estimators whose probabilities of several labels a graph can hold.
_CONVERTED = (
    *("MultiOutputClassifier", "ClassifierChain", "OneVsRestClassifier", "MLPClassifier", "KNeighborsClassifier"),
    *("DecisionTreeClassifier", "ExtraTreeClassifier", "RandomForestClassifier", "ExtraTreesClassifier"),
)


def has_several_labels(model: Any) -> bool:
    """Whether it predicts a row of labels: its classes are a list by target, or each label is binary."""
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list):
        return len(classes) > 0 and isinstance(classes[0], np.ndarray)
    return any(
        str(getattr(getattr(part, name, None), "y_type_", "")).startswith("multilabel")
        for part in _predicting(model)
        for name in ("_label_binarizer", "label_binarizer_")
    )


def _predicting(model: Any) -> Iterator[Any]:
    """The model, and the estimators inside that predict for it: a pipeline's last step, a search's best."""
    yield model
    inner = model.steps[-1][1] if hasattr(model, "steps") else None
    for name in ("best_estimator_", "estimator_"):
        inner = getattr(model, name, None) if inner is None else inner
    if inner is None and type(model).__name__ == "FrozenEstimator":
        inner = model.estimator
    if inner is not None:
        yield from _predicting(inner)


def read_target_classes(model: Any) -> tuple[tuple[Label, ...], ...] | None:
    """The classes of each label; None where the graph cannot hold their probabilities."""
    *_, last = _predicting(model)
    if type(last).__name__ not in _CONVERTED or not hasattr(model, "predict_proba"):
        return None
    classes = model.classes_
    if not isinstance(classes, list):
        return tuple((0, 1) for _ in classes)
    return tuple(tuple(_plain(label) for label in target) for target in classes)


def _plain(label: Any) -> Label:
    value = label.item() if isinstance(label, np.generic) else label
    return int(value) if isinstance(value, float) else value if isinstance(value, (bool, int)) else str(value)


def probabilities_by_target(model: Any, inputs: Any) -> Outputs:
    """An output [rows, classes] by label. Some estimators return one probability a label, that it is set."""
    returned = model.predict_proba(inputs)
    if isinstance(returned, list):
        arrays = [np.asarray(values, dtype=np.float64) for values in returned]
    else:
        arrays = [np.column_stack([1.0 - column, column]) for column in np.asarray(returned, dtype=np.float64).T]
    return {NAME.format(number): values for number, values in enumerate(arrays)}


def is_set_alone(model: Any) -> bool:
    """Whether `predict_proba` returns one probability a label, [rows, labels]."""
    *_, last = _predicting(model)
    return type(last).__name__ in ("ClassifierChain", "OneVsRestClassifier", "MLPClassifier")
