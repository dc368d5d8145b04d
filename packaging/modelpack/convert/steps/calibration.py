"""CalibratedClassifierCV: sigmoid, isotonic and temperature."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns
from serinus.modelpack.convert.steps.curves import isotonic
from serinus.modelpack.convert.steps.translation import Translation

#: Added to probabilities before their logarithm, by scikit-learn.
_EPS = 1e-12
_ORDER = ("decision_function", "predict_proba")


def probabilities(translation: Translation, model: Any, columns: Columns) -> str:
    """The mean of the calibrated classifiers' probabilities."""
    parts = []
    for number, calibrated in enumerate(model.calibrated_classifiers_):
        with translation.at(f"calibrated {number}"):
            parts.append(_calibrated(translation, calibrated, columns))
    return parts[0] if len(parts) == 1 else translation.mean(parts)


def _calibrated(translation: Translation, calibrated: Any, columns: Columns) -> str:
    nodes = translation.nodes
    method, response = translation.response(calibrated.estimator, columns, _ORDER)
    classes = len(calibrated.classes)
    if calibrated.method == "temperature":
        return _temperature(translation, calibrated, method, response, classes)
    known = np.searchsorted(np.asarray(calibrated.classes), np.asarray(calibrated.estimator.classes_))
    columns_of_class: list[str] = [""] * classes
    for number, (place, calibrator) in enumerate(zip(known, calibrated.calibrators, strict=False)):
        score = response if classes == 2 else nodes.take(response, [number])
        columns_of_class[int(place) + (classes == 2)] = _calibrate(translation, calibrator, score)
    if classes == 2:
        second = columns_of_class[1]
        both = translation.beside([nodes.add("Sub", [translation.row([1.0]), second]), second])
        return _at_most_one(translation, both)
    first = next(part for part in columns_of_class if part)
    zero = nodes.add("Mul", [first, translation.row([0.0])])
    side = translation.beside([part or zero for part in columns_of_class])
    uniform = translation.row(np.full(classes, 1 / classes))
    return _at_most_one(translation, translation.divided_by_sum(side, otherwise=uniform))


def _at_most_one(translation: Translation, value: str) -> str:
    """A probability that exceeds 1 by rounding is 1."""
    nodes = translation.nodes
    one = translation.row([1.0])
    exceeds = nodes.add("Greater", [value, one])
    slightly = nodes.add("LessOrEqual", [value, translation.row([1.0 + 1e-5])])
    return nodes.add("Where", [nodes.add("And", [exceeds, slightly]), one, value])


def _calibrate(translation: Translation, calibrator: Any, score: str) -> str:
    nodes = translation.nodes
    if hasattr(calibrator, "a_"):
        scaled = nodes.add("Mul", [score, translation.row([-float(calibrator.a_)])])
        return nodes.add("Sigmoid", [nodes.add("Add", [scaled, translation.row([-float(calibrator.b_)])])])
    return isotonic(translation, calibrator, score)


def _temperature(translation: Translation, calibrated: Any, method: str, response: str, classes: int) -> str:
    nodes = translation.nodes
    if method == "predict_proba" and classes == 2:
        response = translation.beside([nodes.add("Sub", [translation.row([1.0]), response]), response])
    if method == "predict_proba":
        logits = nodes.add("Log", [nodes.add("Add", [response, translation.row([_EPS])])])
    elif classes == 2:
        logits = translation.beside([nodes.add("Neg", [response]), response])
    else:
        logits = response
    scaled = nodes.add("Mul", [logits, translation.row([float(calibrated.calibrators[0].beta_)])])
    return nodes.add("Softmax", [scaled], axis=1)
