"""CategoricalNB, whose converter in skl2onnx fails for categories that training had not."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns
from serinus.modelpack.convert.steps.translation import Translation


def probabilities(translation: Translation, model: Any, columns: Columns) -> str:
    """The softmax of the joint logarithms; NaN where the source refuses a category."""
    return translation.nodes.add("Softmax", [_joint(translation, model, columns)], axis=1)


def label(translation: Translation, model: Any, columns: Columns) -> str:
    """The class of the largest joint logarithm."""
    joint = _joint(translation, model, columns)
    return translation.label_of_largest(model.classes_, joint)


def _joint(translation: Translation, model: Any, columns: Columns) -> str:
    """[rows, classes]: each column's logarithm by its whole part, and the prior's."""
    return str(translation.once(("joint", id(model), columns.places), lambda: _sum(translation, model, columns)))


def _sum(translation: Translation, model: Any, columns: Columns) -> str:
    nodes = translation.nodes
    values = translation.numbers(columns)
    total = ""
    for number, table in enumerate(model.feature_log_prob_):
        known = table.shape[1]
        rows = np.vstack([table.T, np.full((1, len(model.classes_)), np.nan)])
        value = translation.flat(nodes.take(values, [number]))
        truncated = nodes.add("Mul", [nodes.add("Sign", [value]), nodes.add("Floor", [nodes.add("Abs", [value])])])
        inside = nodes.add(
            "And",
            [
                nodes.add("GreaterOrEqual", [truncated, nodes.constant(np.array([0.0]))]),
                nodes.add("Less", [truncated, nodes.constant(np.array([float(known)]))]),
            ],
        )
        safe = nodes.add("Where", [inside, truncated, nodes.constant(np.array([float(known)]))])
        part = nodes.add("Gather", [nodes.constant(rows), nodes.cast(safe, np.int64)], axis=0)
        total = part if not total else nodes.add("Add", [total, part])
    return nodes.add("Add", [total, translation.row(model.class_log_prior_)])
