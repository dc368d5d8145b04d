"""Pipelines, column transformers and unions; estimators that stand for another; selectors of columns."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns, Matrix, joined
from serinus.modelpack.convert.steps.translation import Methods, Translation


def through_pipeline(method: str) -> Any:
    """A pipeline's ``method``: its last step's, after the others' transform."""

    def write(translation: Translation, pipeline: Any, columns: Columns) -> Any:
        steps = [(name, step) for name, step in pipeline.steps if step is not None and step != "passthrough"]
        last = pipeline.steps[-1][1]
        ends_with_transform = last is None or last == "passthrough"
        for position, (name, step) in enumerate(steps):
            with translation.at(name):
                if position == len(steps) - 1 and not ends_with_transform and method != "transform":
                    return getattr(translation, method)(step, columns)
                if hasattr(step, "fit_resample") and not hasattr(step, "transform"):
                    continue  # imbalanced-learn's samplers change the rows of training alone.
                columns = translation.transform(step, columns)
        return columns

    return write


def transform_columns(translation: Translation, transformer: Any, columns: Columns) -> Columns:
    """A ColumnTransformer: each part on its own columns."""
    indices_by_name = transformer._transformer_to_input_indices
    weights = transformer.transformer_weights or {}
    parts = []
    for name, part, selector in transformer.transformers_:
        indices = [int(index) for index in indices_by_name[name]]
        if part == "drop" or not indices:
            continue
        with translation.at(name):
            is_one = isinstance(selector, (str, int, np.integer)) and not isinstance(selector, bool)
            chosen = columns.select(indices, one_dimensional=is_one)
            written = chosen if part == "passthrough" else translation.transform(part, chosen)
            parts.append(_weighted(translation, written, weights.get(name)))
    return joined(parts, translation.run_source(transformer, "transform", columns.rows))


def transform_union(translation: Translation, union: Any, columns: Columns) -> Columns:
    """A FeatureUnion: all parts on all columns."""
    weights = union.transformer_weights or {}
    parts = []
    for name, part in union.transformer_list:
        if part == "drop":
            continue
        with translation.at(name):
            written = columns if part == "passthrough" else translation.transform(part, columns)
            parts.append(_weighted(translation, written, weights.get(name)))
    return joined(parts, translation.run_source(union, "transform", columns.rows))


def _weighted(translation: Translation, columns: Columns, weight: float | None) -> Columns:
    if weight is None or weight == 1:
        return columns
    scaled = translation.nodes.add("Mul", [translation.numbers(columns), translation.row([weight])])
    tensor = Matrix(scaled, len(columns))
    return Columns(tuple((tensor, index) for index in range(len(columns))), columns.rows)


def select_columns(translation: Translation, selector: Any, columns: Columns) -> Columns:
    """Any of scikit-learn's selectors: the columns of its support."""
    chosen = columns.select(selector.get_support(indices=True))
    return Columns(chosen.places, translation.run_source(selector, "transform", columns.rows))


def on_support(method: str) -> Any:
    """RFE's prediction: its estimator's, on the columns of its support."""

    def write(translation: Translation, selector: Any, columns: Columns) -> Any:
        rows = translation.run_source(selector, "transform", columns.rows)
        chosen = Columns(columns.select(selector.get_support(indices=True)).places, rows)
        return getattr(translation, method)(selector.estimator_, chosen)

    return write


def standing_for(inner: Any) -> Methods:
    """An estimator whose methods are those of ``inner(estimator)``."""

    def write(method: str) -> Any:
        return lambda translation, outer, columns: getattr(translation, method)(inner(outer), columns)

    return Methods(*(write(method) for method in ("transform", "predict", "predict_proba", "decision_function")))


def pipelines() -> Methods:
    """A pipeline's methods."""
    return Methods(
        *(through_pipeline(method) for method in ("transform", "predict", "predict_proba", "decision_function"))
    )
