"""Imputers that predict the missing values, and the indicator of missing values."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.steps.columns import Columns, Matrix, columns_of
from serinus.modelpack.convert.steps.translation import Translation
from serinus.modelpack.sources.source import MISSING_STRING


def _is_nan(marker: Any) -> bool:
    return marker is None or (isinstance(marker, float) and bool(np.isnan(marker)))


def missing(translation: Translation, value: str, marker: Any, *, is_string: bool = False) -> str:
    """A boolean tensor of the shape of ``value``."""
    nodes = translation.nodes
    if is_string:
        text = MISSING_STRING if _is_nan(marker) else str(marker)
        return nodes.add("Equal", [value, nodes.constant(np.array([text], dtype=object))])
    if _is_nan(marker):
        return nodes.add("IsNaN", [value])
    return nodes.add("Equal", [value, translation.row([float(marker)])])


def indicate(translation: Translation, indicator: Any, columns: Columns) -> Matrix:
    """MissingIndicator: 1 where a value of its columns is missing."""
    parts = []
    for index in np.asarray(indicator.features_).tolist():
        is_string = columns.places[index][0].is_string
        column = translation.one_column(columns, index)
        flags = missing(translation, column, indicator.missing_values, is_string=is_string)
        parts.append(translation.doubles(flags))
    if not parts:
        raise translation.error(indicator, "no column had missing values when it was fitted")
    return Matrix(translation.beside(parts), len(parts))


def _with_indicator(translation: Translation, imputer: Any, columns: Columns, imputed: str, width: int) -> Matrix:
    if not imputer.add_indicator or len(imputer.indicator_.features_) == 0:
        return Matrix(imputed, width)
    flags = indicate(translation, imputer.indicator_, columns)
    return Matrix(translation.beside([imputed, flags.name]), width + flags.width)


def neighbours(translation: Translation, imputer: Any, columns: Columns) -> Matrix:
    """KNNImputer: the mean of the nearest rows of training that have the value, by the distance over the columns
    that both have; the column's mean where no such row has any."""
    if imputer.metric != "nan_euclidean" or imputer.weights not in ("uniform", "distance"):
        raise translation.error(
            imputer, "only metric='nan_euclidean' and weights 'uniform' or 'distance' are supported"
        )
    nodes = translation.nodes
    value = translation.numbers(columns)
    gaps = missing(translation, value, imputer.missing_values)
    apart = _nan_distances(translation, imputer, value, gaps)
    fitted = np.asarray(imputer._fit_X, dtype=np.float64)
    absent = np.asarray(imputer._mask_fit_X)
    parts = []
    for column in range(fitted.shape[1]):
        if not imputer._valid_mask[column]:
            if imputer.keep_empty_features:
                parts.append(nodes.add("Mul", [_finite_first(translation, value), translation.row([0.0])]))
            continue
        donors = np.flatnonzero(~absent[:, column])
        near = nodes.take(apart, donors) if len(donors) != len(fitted) else apart
        filled = _mean_of_nearest(translation, imputer, near, fitted[donors, column])
        own = nodes.take(value, [column])
        parts.append(nodes.add("Where", [nodes.take(gaps, [column]), filled, own]))
    return _with_indicator(translation, imputer, columns, translation.beside(parts), len(parts))


def _finite_first(translation: Translation, value: str) -> str:
    nodes = translation.nodes
    first = nodes.take(value, [0])
    return nodes.add("Where", [nodes.add("IsNaN", [first]), translation.row([0.0]), first])


def _nan_distances(translation: Translation, imputer: Any, value: str, gaps: str) -> str:
    """[rows, rows of training]; infinite where no column is in both. By scikit-learn's own sums of products."""
    nodes = translation.nodes
    zero = translation.row([0.0])
    filled = nodes.add("Where", [gaps, zero, value])
    present = nodes.add("Sub", [translation.row([1.0]), translation.doubles(gaps)])
    absent = np.asarray(imputer._mask_fit_X)
    stored = np.where(absent, 0.0, np.asarray(imputer._fit_X, dtype=np.float64))
    has = (~absent).astype(np.float64)
    squares = nodes.add("MatMul", [nodes.add("Mul", [filled, filled]), nodes.constant(has.T.copy())])
    cross = nodes.add("MatMul", [filled, nodes.constant(np.ascontiguousarray(-2.0 * stored.T))])
    others = nodes.add("MatMul", [present, nodes.constant(np.ascontiguousarray((stored**2).T))])
    total = nodes.add("Max", [nodes.add("Add", [nodes.add("Add", [squares, cross]), others]), zero])
    count = nodes.add("MatMul", [present, nodes.constant(has.T.copy())])
    scaled = nodes.add("Div", [nodes.add("Mul", [total, translation.row([float(has.shape[1])])]), count])
    none = nodes.add("Equal", [count, zero])
    return nodes.add("Where", [none, translation.row([np.inf]), nodes.add("Sqrt", [scaled])])


def _mean_of_nearest(translation: Translation, imputer: Any, apart: str, values: Any) -> str:
    """[rows, 1]."""
    nodes = translation.nodes
    count = nodes.constant(np.array([min(imputer.n_neighbors, len(values))], dtype=np.int64))
    nearest = nodes.add_second("TopK", [apart, count], largest=0, sorted=1)
    distance = nodes.add("GatherElements", [apart, nearest], axis=1)
    known = translation.doubles(nodes.add("Less", [distance, translation.row([np.inf])]))
    if imputer.weights == "uniform":
        weight = known
    else:
        same = nodes.add("Equal", [distance, translation.row([0.0])])
        same_weight = translation.doubles(same)
        axis = nodes.constant(np.array([1], dtype=np.int64))
        any_same = nodes.cast(nodes.add("ReduceSum", [same_weight, axis], keepdims=1), np.bool_)
        safe = nodes.add("Where", [same, translation.row([1.0]), distance])
        weight = nodes.add("Where", [any_same, same_weight, nodes.add("Reciprocal", [safe])])
    donors = nodes.add("Gather", [nodes.constant(np.asarray(values, dtype=np.float64)), nearest], axis=0)
    axis = nodes.constant(np.array([1], dtype=np.int64))
    total = nodes.add("ReduceSum", [nodes.add("Mul", [donors, weight]), axis], keepdims=1)
    weights = nodes.add("ReduceSum", [weight, axis], keepdims=1)
    none = nodes.add("Equal", [weights, translation.row([0.0])])
    divisor = nodes.add("Where", [none, translation.row([1.0]), weights])
    return nodes.add(
        "Where", [none, translation.row([float(np.mean(values))]), nodes.add("Div", [total, divisor])]
    )


def iterative(translation: Translation, imputer: Any, columns: Columns) -> Matrix:
    """IterativeImputer: its own sequence of predictions, each from the columns as they are by then."""
    nodes = translation.nodes
    if imputer.sample_posterior:
        raise translation.error(imputer, "sample_posterior=True draws random values")
    with translation.at("initial_imputer"):
        first = translation.transform(imputer.initial_imputer_, columns)
    kept = np.flatnonzero(~np.isnan(np.asarray(imputer.initial_imputer_.statistics_, dtype=np.float64)))
    if imputer.keep_empty_features:
        kept = np.arange(len(columns))
    gaps = missing(translation, translation.numbers(columns.select(kept)), imputer.missing_values)
    rows = np.asarray(first.rows, dtype=np.float64)
    current = [translation.nodes.take(translation.numbers(first), [index]) for index in range(len(first))]
    for triplet in imputer.imputation_sequence_:
        feature = int(triplet.feat_idx)
        near = [int(index) for index in triplet.neighbor_feat_idx]
        known = Columns(
            tuple(place for index in near for place in columns_of(Matrix(current[index], 1), None).places),
            rows[:, near],
        )
        with translation.at(f"column {feature}"):
            predicted = translation.column(translation.predict(triplet.estimator, known))
        low, high = (
            np.broadcast_to(bound, len(current))[feature] for bound in (imputer._min_value, imputer._max_value)
        )
        bounded = nodes.add(
            "Min", [nodes.add("Max", [predicted, translation.row([low])]), translation.row([high])]
        )
        current[feature] = nodes.add("Where", [nodes.take(gaps, [feature]), bounded, current[feature]])
    return _with_indicator(translation, imputer, columns, translation.beside(current), len(current))
