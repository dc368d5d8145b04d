"""Predictors that need no features, or one."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns
from serinus.modelpack.convert.steps.curves import isotonic
from serinus.modelpack.convert.steps.translation import Translation


def _ones(translation: Translation, columns: Columns) -> str:
    """[rows, 1] of ones."""
    nodes = translation.nodes
    tensor, place = columns.places[0]
    column = nodes.take(tensor.name, [place])
    shape = nodes.add("Shape", [column])
    return nodes.add("Expand", [translation.row([1.0]), shape])


def dummy_proba(translation: Translation, model: Any, columns: Columns) -> str:
    """DummyClassifier: the prior, or one class alone."""
    _reject_random(translation, model)
    prior = np.asarray(model.class_prior_, dtype=np.float64)
    if model._strategy != "prior":
        prior = np.eye(len(prior))[_dummy_index(model)]
    return translation.nodes.add("Mul", [_ones(translation, columns), translation.row(prior)])


def dummy_label(translation: Translation, model: Any, columns: Columns) -> str:
    """DummyClassifier: the same class for each row."""
    _reject_random(translation, model)
    nodes = translation.nodes
    ones = nodes.cast(translation.flat(_ones(translation, columns)), np.int64)
    index = nodes.add("Mul", [ones, nodes.constant(np.array([_dummy_index(model)], dtype=np.int64))])
    return translation.label_at(model.classes_, index)


def _dummy_index(model: Any) -> int:
    if model._strategy == "constant":
        return int(np.flatnonzero(np.asarray(model.classes_) == np.asarray(model.constant).ravel()[0])[0])
    return int(np.argmax(model.class_prior_))


def _reject_random(translation: Translation, model: Any) -> None:
    if model._strategy not in ("prior", "most_frequent", "constant"):
        raise translation.error(model, f"strategy={model._strategy!r} draws random labels")
    if isinstance(model.classes_, list):
        raise translation.error(model, "several targets are not supported")


def dummy_value(translation: Translation, model: Any, columns: Columns) -> str:
    """DummyRegressor: its constant."""
    return translation.nodes.add("Mul", [_ones(translation, columns), translation.row(model.constant_)])


def isotonic_value(translation: Translation, model: Any, columns: Columns) -> str:
    """IsotonicRegression of one column."""
    return isotonic(translation, model, translation.numbers(columns))
