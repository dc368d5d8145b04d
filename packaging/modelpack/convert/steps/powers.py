"""PowerTransformer and its inverse."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns, Matrix
from serinus.modelpack.convert.steps.translation import Translation

_SPACING = float(np.spacing(1.0))


def transform(translation: Translation, transformer: Any, columns: Columns) -> Matrix:
    """Each column by its own power, then scaled."""
    nodes = translation.nodes
    values = translation.numbers(columns)
    parts = []
    for number, power in enumerate(np.asarray(transformer.lambdas_, dtype=np.float64).tolist()):
        value = nodes.take(values, [number])
        if np.isnan(power):  # A column without a value in training.
            parts.append(value)
        elif transformer.method == "box-cox":
            parts.append(_box_cox(translation, value, power))
        else:
            parts.append(_yeo_johnson(translation, value, power))
    result = translation.beside(parts)
    if transformer.standardize:
        scaler = transformer._scaler
        result = nodes.add("Sub", [result, translation.row(scaler.mean_)])
        result = nodes.add("Div", [result, translation.row(scaler.scale_)])
    return Matrix(result, len(columns))


def _box_cox(translation: Translation, value: str, power: float) -> str:
    nodes = translation.nodes
    if power == 0.0:
        return nodes.add("Log", [value])
    raised = nodes.add("Pow", [value, translation.row([power])])
    return nodes.add("Div", [nodes.add("Sub", [raised, translation.row([1.0])]), translation.row([power])])


def _yeo_johnson(translation: Translation, value: str, power: float) -> str:
    nodes = translation.nodes
    one = translation.row([1.0])
    upper = nodes.add("Add", [nodes.add("Max", [value, translation.row([0.0])]), one])
    lower = nodes.add("Sub", [one, nodes.add("Min", [value, translation.row([0.0])])])
    if abs(power) < _SPACING:
        positive = nodes.add("Log", [upper])
    else:
        raised = nodes.add("Sub", [nodes.add("Pow", [upper, translation.row([power])]), one])
        positive = nodes.add("Div", [raised, translation.row([power])])
    if abs(power - 2.0) > _SPACING:
        raised = nodes.add("Sub", [nodes.add("Pow", [lower, translation.row([2.0 - power])]), one])
        negative = nodes.add("Div", [raised, translation.row([power - 2.0])])
    else:
        negative = nodes.add("Neg", [nodes.add("Log", [lower])])
    is_positive = nodes.add("GreaterOrEqual", [value, translation.row([0.0])])
    chosen = nodes.add("Where", [is_positive, positive, negative])
    return nodes.add("Where", [nodes.add("IsNaN", [value]), value, chosen])


def undo(translation: Translation, transformer: Any, value: str) -> str:
    """`inverse_transform` of [rows, columns]."""
    nodes = translation.nodes
    if transformer.standardize:
        scaler = transformer._scaler
        scaled = nodes.add("Mul", [value, translation.row(scaler.scale_)])
        value = nodes.add("Add", [scaled, translation.row(scaler.mean_)])
    undo_one = _undo_box_cox if transformer.method == "box-cox" else _undo_yeo_johnson
    powers = np.asarray(transformer.lambdas_, dtype=np.float64).tolist()
    return translation.beside(
        [undo_one(translation, nodes.take(value, [number]), power) for number, power in enumerate(powers)]
    )


def _undo_box_cox(translation: Translation, value: str, power: float) -> str:
    nodes = translation.nodes
    if power == 0.0:
        return nodes.add("Exp", [value])
    base = nodes.add("Add", [nodes.add("Mul", [value, translation.row([power])]), translation.row([1.0])])
    return nodes.add("Pow", [base, translation.row([1 / power])])


def _undo_yeo_johnson(translation: Translation, value: str, power: float) -> str:
    nodes = translation.nodes
    one = translation.row([1.0])
    upper = nodes.add("Max", [value, translation.row([0.0])])
    lower = nodes.add("Min", [value, translation.row([0.0])])
    if abs(power) < _SPACING:
        positive = nodes.add("Sub", [nodes.add("Exp", [upper]), one])
    else:
        base = nodes.add("Add", [nodes.add("Mul", [upper, translation.row([power])]), one])
        positive = nodes.add("Sub", [nodes.add("Pow", [base, translation.row([1 / power])]), one])
    if abs(power - 2) > _SPACING:
        base = nodes.add("Add", [nodes.add("Mul", [lower, translation.row([-(2 - power)])]), one])
        negative = nodes.add("Sub", [one, nodes.add("Pow", [base, translation.row([1 / (2 - power)])])])
    else:
        negative = nodes.add("Sub", [one, nodes.add("Exp", [nodes.add("Neg", [lower])])])
    is_positive = nodes.add("GreaterOrEqual", [value, translation.row([0.0])])
    return nodes.add("Where", [is_positive, positive, negative])
