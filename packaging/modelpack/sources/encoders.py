"""Reads the values of a column that a scikit-learn model knows from training.

Encoders may refuse values that they have not seen; the endpoint can then refuse them too, by name, before they
reach a graph, which cannot raise errors. They also say which columns are text, whatever a CSV file's cells look
like, and whether a missing value was None in training or NaN: to scikit-learn they differ.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from serinus.modelpack.sources.source import Category

ColumnNames = tuple[str, ...]
#: The input column that each column of a step's output is, None where it is computed; None where the number of
#: columns is not known.
Columns = tuple[str | None, ...] | None
#: The attribute of an imputer that names the columns, by position, whose None it leaves as it is.
PASSED_NONES = "passed_nones_"


@dataclass(frozen=True, slots=True)
class Learnt:
    """The values of feature ``column`` that an encoder learnt, missing ones included; None for text of any
    words. ``objects``: they were Python objects, not numbers of NumPy. ``none``: what is missing was None."""

    column: str
    values: tuple[Any, ...] | None
    objects: bool = False
    none: bool = False
    #: The imputer that ``column`` passes, as which of its columns.
    imputer: Any = None
    position: int = 0


def trace_categories(model: Any, names: ColumnNames) -> dict[str, tuple[Category, ...]]:
    """Values by feature name, for each feature that reaches an encoder with fitted ``categories_``."""
    categories: dict[str, tuple[Category, ...]] = {}
    for learnt in trace(model, names):
        if learnt.values:
            present = tuple(_plain(value) for value in learnt.values if not _is_missing(value))
            categories.setdefault(learnt.column, present)
    return categories


def trace_texts(model: Any, names: ColumnNames) -> dict[str, tuple[str, ...] | None]:
    """The features of which a step learnt text alone; None where it reads words, and each cell is text."""
    texts: dict[str, tuple[str, ...] | None] = {}
    for learnt in trace(model, names):
        if learnt.values is None:
            texts[learnt.column] = None
            continue
        present = tuple(_plain(value) for value in learnt.values if not _is_missing(value))
        if present and all(isinstance(value, str) for value in present):
            texts.setdefault(learnt.column, tuple(str(value) for value in present))
    return texts


def as_trained(model: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with cells as the encoders and imputers of ``model`` learnt them: booleans and numbers as objects,
    and None where a value is missing, in columns that held such."""
    replaced: dict[str, pd.Series[Any]] = {}
    for learnt in trace(model, tuple(map(str, frame.columns))):
        if not (learnt.objects or learnt.none):
            continue
        cells = replaced.get(learnt.column, frame[learnt.column].astype(object))
        if learnt.none:
            cells = cells.where(cells.notna(), None)
        if {type(value) for value in learnt.values or ()} & {bool, np.bool_}:
            booleans = [bool(cell) if cell in (0, 1) else cell for cell in cells]
            cells = pd.Series(booleans, dtype=object, index=cells.index)
        replaced[learnt.column] = cells
    return frame.assign(**replaced) if replaced else frame


def mark_passed_nones(model: Any, names: ColumnNames) -> None:
    """Note on the imputers of ``model`` which columns' None they do not impute: to an imputer of NaN it is a
    value, which an encoder behind it learnt as a category."""
    learnt = trace(model, names)
    nullable = {item.column for item in learnt if item.values and item.none}
    passed: dict[int, tuple[Any, set[int]]] = {}
    for item in learnt:
        if item.imputer is not None and not item.none and item.column in nullable:
            passed.setdefault(id(item.imputer), (item.imputer, set()))[1].add(item.position)
    for imputer, positions in passed.values():
        setattr(imputer, PASSED_NONES, sorted(positions))


def trace(model: Any, names: ColumnNames) -> list[Learnt]:
    """What steps of ``model`` learnt of the features ``names``, as far as columns keep their identity on the way
    to them; in the steps' order."""
    learnt: list[Learnt] = []
    _walk(model, names, learnt)
    return learnt


def _walk(model: Any, columns: Columns, learnt: list[Learnt]) -> Columns:
    """Adds to ``learnt`` what ``model`` knows of its input ``columns``; returns its output's columns."""
    if columns is None or model is None or _is_identity(model):
        return columns
    if isinstance(model, str):
        return columns if model == "passthrough" else ()
    if hasattr(model, "best_estimator_"):
        return _walk(model.best_estimator_, columns, learnt)
    if hasattr(model, "steps"):
        for _, step in model.steps:
            columns = _walk(step, columns, learnt)
        return columns
    if hasattr(model, "transformers_"):
        return _walk_transformers(model, columns, learnt)
    if hasattr(model, "transformer_list"):
        parts = [_walk(part, columns, learnt) for _, part in model.transformer_list]
        return _joined(parts)
    if _takes_documents(model):
        learnt += [Learnt(column, None) for column in columns[:1] if column is not None]
        return None
    if hasattr(model, "categories_") and len(model.categories_) == len(columns):
        learnt += [
            Learnt(
                column,
                tuple(values),
                objects=values.dtype == object and not all(isinstance(value, str) for value in values),
                none=any(value is None for value in values),
            )
            for column, values in zip(columns, model.categories_, strict=True)
            if column is not None
        ]
        return None
    return _walk_others(model, columns, learnt)


def _walk_transformers(model: Any, columns: tuple[str | None, ...], learnt: list[Learnt]) -> Columns:
    """A fitted ColumnTransformer."""
    names = getattr(model, "feature_names_in_", None)
    slices = getattr(model, "output_indices_", {})
    outputs: dict[int, str | None] = {}
    for name, part, selector in model.transformers_:
        if isinstance(part, str) and part == "drop":
            continue
        output = _walk(part, _selected(columns, selector, names), learnt)
        where = slices.get(name)
        if where is None or output is None or len(output) != where.stop - where.start:
            continue
        outputs.update(zip(range(where.start, where.stop), output, strict=True))
    width = max((where.stop for where in slices.values()), default=0)
    return tuple(outputs.get(index) for index in range(width)) if slices else None


def _walk_others(model: Any, columns: tuple[str | None, ...], learnt: list[Learnt]) -> Columns:
    """Imputers and selectors, whose columns are some of their input's, and estimators that hold others."""
    if type(model).__name__ == "SimpleImputer":
        learnt += [
            Learnt(column, (), none=model.missing_values is None, imputer=model, position=position)
            for position, column in enumerate(columns)
            if column is not None
        ]
        added = model.indicator_.features_ if model.add_indicator else ()
        return (*columns, *(None for _ in added)) if len(model.statistics_) == len(columns) else None
    if hasattr(model, "get_support") and hasattr(model, "transform"):
        kept = np.flatnonzero(model.get_support()).tolist()
        return tuple(columns[index] for index in kept) if max(kept, default=-1) < len(columns) else None
    if (own := getattr(model, "_preprocessor", None)) is not None:  # HistGradientBoosting's encoder of categories
        _walk(own, columns, learnt)
    for part, positions in _inner_estimators(model):
        _walk(part, columns if positions is None else tuple(columns[index] for index in positions), learnt)
    return None


def _inner_estimators(model: Any) -> list[tuple[Any, Any]]:
    """The fitted estimators that get ``model``'s input, and the columns of it that each gets (None: all)."""
    inner = [getattr(model, name) for name in ("estimator_", "regressor_") if hasattr(model, name)]
    calibrated = getattr(model, "calibrated_classifiers_", ())
    inner += [part.estimator for part in calibrated if hasattr(part, "estimator")]
    parts = getattr(model, "estimators_", ())
    several = list(parts) if isinstance(parts, (list, tuple)) else []
    subsets = getattr(model, "estimators_features_", [None] * len(several))
    pairs = [(part, None) for part in inner]
    pairs += [(part, subset) for part, subset in zip(several, subsets, strict=False) if hasattr(part, "fit")]
    return [(part, subset) for part, subset in pairs if not hasattr(part, "tree_")]


def _is_identity(step: Any) -> bool:
    """Whether the step's output is its input: samplers, which act in training alone, and functions of none."""
    if hasattr(step, "fit_resample"):
        return True
    return type(step).__name__ == "FunctionTransformer" and getattr(step, "func", step) is None


def _takes_documents(model: Any) -> bool:
    return hasattr(model, "build_analyzer") and hasattr(model, "transform")


def _joined(parts: list[Columns]) -> Columns:
    known = [part for part in parts if part is not None]
    return tuple(column for part in known for column in part) if len(known) == len(parts) else None


def _selected(columns: tuple[str | None, ...], selector: Any, names: Any) -> Columns:
    """The columns that a ColumnTransformer's ``selector`` takes; ``names`` are those of its own input."""
    if callable(selector):
        return None
    labels = list(columns if names is None else map(str, names))
    if isinstance(selector, slice):
        bounds = [
            labels.index(bound) if isinstance(bound, str) else bound for bound in (selector.start, selector.stop)
        ]
        last = bounds[1] if bounds[1] is None or not isinstance(selector.stop, str) else bounds[1] + 1
        return columns[bounds[0] : last : selector.step]
    if isinstance(selector, (str, int, np.integer)):
        selector = [selector]
    values = list(selector)
    if values and isinstance(values[0], (bool, np.bool_)):
        positions = np.flatnonzero(values).tolist()
    else:
        positions = [labels.index(value) if isinstance(value, str) else int(value) for value in values]
    if max(positions, default=-1) >= len(columns):
        return None
    return tuple(columns[position] for position in positions)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))


def _plain(value: Any) -> Category:
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, (str, int, float, bool)) else str(plain)
