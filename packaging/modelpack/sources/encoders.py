"""Reads the values of a column that a scikit-learn model knows from training.

Encoders may refuse values that they have not seen; the endpoint can then refuse them too, by name, before they
reach a graph, which cannot raise errors.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from serinus.modelpack.sources.source import Category

ColumnNames = tuple[str, ...]


def trace_categories(model: Any, names: ColumnNames) -> dict[str, tuple[Category, ...]]:
    """Values by feature name, for each feature that reaches an encoder with fitted ``categories_``."""
    categories: dict[str, tuple[Category, ...]] = {}
    for encoder, columns in _encoders(model, names):
        for column, values in zip(columns, encoder.categories_, strict=True):
            present = tuple(_plain(value) for value in values if not _is_missing(value))
            categories.setdefault(column, present)
    return categories


def nullable_columns(model: Any, names: ColumnNames) -> set[str]:
    """Features of which an encoder learnt None, which it distinguishes from NaN."""
    return {
        column
        for encoder, columns in _encoders(model, names)
        for column, values in zip(columns, encoder.categories_, strict=True)
        if any(value is None for value in values)
    }


def _encoders(model: Any, columns: ColumnNames) -> Iterator[tuple[Any, ColumnNames]]:
    """Encoders with their input columns, as far as columns keep their identity on the way."""
    if hasattr(model, "steps"):
        for _, step in model.steps:
            yield from _encoders(step, columns)
            if not _keeps_columns(step):
                return
    elif hasattr(model, "transformers_"):
        for name, part, _ in model.transformers_:
            if part not in ("drop", "passthrough"):
                indices = model._transformer_to_input_indices[name]
                yield from _encoders(part, tuple(columns[int(index)] for index in indices))
    elif hasattr(model, "transformer_list"):
        for _, part in model.transformer_list:
            yield from _encoders(part, columns)
    elif hasattr(model, "categories_") and len(model.categories_) == len(columns):
        yield model, columns


def _keeps_columns(step: Any) -> bool:
    """Whether each output column is the input column at that index: imputers that drop and add none."""
    from sklearn.impute import SimpleImputer

    if step is None or step == "passthrough":
        return True
    return isinstance(step, SimpleImputer) and not step.add_indicator


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def _plain(value: Any) -> Category:
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, (str, int, float, bool)) else str(plain)
