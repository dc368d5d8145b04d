"""Boosted trees of scikit-learn: their decisions, and categories that are strings."""

from typing import Any

import numpy as np
from scipy.sparse import issparse

from serinus.modelpack.convert.discrete import category_index
from serinus.modelpack.convert.histogram import string_categories
from serinus.modelpack.convert.steps.columns import Columns, Matrix, columns_of
from serinus.modelpack.convert.steps.leaf import Leaf
from serinus.modelpack.convert.steps.translation import Translation
from serinus.modelpack.convert.trees import boosted_sum, histogram_sum


def decide(translation: Translation, model: Any, columns: Columns) -> str:
    """GradientBoostingClassifier's decision."""
    return boosted_sum(translation.nodes, model, translation.numbers(columns))


def decide_on_codes(translation: Translation, model: Any, columns: Columns) -> str:
    """HistGradientBoostingClassifier's decision."""
    return histogram_sum(translation.nodes, model, translation.numbers(_coded(translation, model, columns)))


def on_codes(method: str) -> Any:
    """A HistGradientBoosting model's ``method``, of columns whose strings are codes."""

    def write(translation: Translation, model: Any, columns: Columns) -> Any:
        return Leaf(translation, model, _coded(translation, model, columns)).write(method)

    return write


def _coded(translation: Translation, model: Any, columns: Columns) -> Columns:
    """The columns, with the code in place of each string: NaN where it is missing or unknown, as the model's own
    encoder has it."""
    nodes = translation.nodes
    places = list(columns.places)
    for column, categories in string_categories(model).items():
        if not places[column][0].is_string:
            raise translation.error(model, f"its column {column} holds numbers, and its categories are strings")
        index = category_index(
            nodes, translation.one_column(columns, column), True, categories, unseen=len(categories)
        )
        codes = np.arange(len(categories) + 1, dtype=np.float64)
        codes[[not isinstance(category, str) for category in categories] + [True]] = np.nan
        code = nodes.add("Gather", [nodes.constant(codes.reshape(-1, 1)), index], axis=0)
        places[column] = Matrix(code, 1), 0
    return Columns(tuple(places), columns.rows)


def on_sparse(method: str) -> Any:
    """A model of XGBoost's ``method``: behind a step with sparse output, XGBoost takes its zeros for missing."""

    def write(translation: Translation, model: Any, columns: Columns) -> Any:
        if issparse(columns.rows):
            nodes = translation.nodes
            value = translation.numbers(columns)
            is_zero = nodes.add("Equal", [value, translation.row([0.0])])
            known = nodes.add("Where", [is_zero, translation.row([np.nan]), value])
            columns = columns_of(Matrix(known, len(columns)), columns.rows)
        return Leaf(translation, model, columns).write(method)

    return write
