"""Encoders and discretizers that skl2onnx has not, or has in single precision."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.discrete import category_index
from serinus.modelpack.convert.ensemble import Ensemble, read_tree
from serinus.modelpack.convert.steps.columns import Columns, Matrix
from serinus.modelpack.convert.steps.translation import Translation
from serinus.modelpack.convert.trees import summed_votes


def target_means(translation: Translation, encoder: Any, columns: Columns) -> Matrix:
    """TargetEncoder: by value, and the mean of all for values that training had not."""
    nodes = translation.nodes
    several = encoder.target_type_ == "multiclass"
    classes = len(encoder.classes_) if several else 1
    means = np.asarray(encoder.target_mean_, dtype=np.float64).reshape(-1)
    parts = []
    for number, categories in enumerate(encoder.categories_):
        column, is_string = translation.one_column(columns, number), columns.places[number][0].is_string
        index = category_index(nodes, column, is_string, categories, unseen=len(categories))
        encodings = encoder.encodings_[number * classes : (number + 1) * classes]
        table = np.column_stack(
            [np.append(encoding, mean) for encoding, mean in zip(encodings, means, strict=True)]
        )
        parts.append(nodes.add("Gather", [nodes.constant(np.ascontiguousarray(table)), index], axis=0))
    return Matrix(translation.beside(parts), classes * len(parts))


def bins(translation: Translation, discretizer: Any, columns: Columns) -> Matrix:
    """KBinsDiscretizer: the edges that each value has reached, as a number or one column a bin."""
    nodes = translation.nodes
    value = translation.numbers(columns)
    axis = nodes.constant(np.array([1], dtype=np.int64))
    parts, width = [], 0
    for number, edges in enumerate(discretizer.bin_edges_):
        inner = np.asarray(edges, dtype=np.float64)[1:-1]
        column = nodes.take(value, [number])
        if len(inner):
            reached = translation.doubles(nodes.add("GreaterOrEqual", [column, translation.row(inner)]))
            place = nodes.add("ReduceSum", [reached, axis], keepdims=1)
        else:
            place = nodes.add("Mul", [column, translation.row([0.0])])
        if discretizer.encode != "ordinal":
            count = len(inner) + 1
            place = translation.doubles(nodes.add("Equal", [place, translation.row(np.arange(count))]))
            width += count
        else:
            width += 1
        parts.append(place)
    return Matrix(translation.beside(parts), width)


def splines(translation: Translation, transformer: Any, columns: Columns) -> Matrix:
    """SplineTransformer: each basis as a polynomial between two knots; beyond the outer ones constant, on the
    tangent, the last polynomial's, or periodic."""
    nodes = translation.nodes
    if transformer.extrapolation == "error":
        raise translation.error(transformer, "extrapolation='error' refuses rows, which no graph can do")
    if transformer.extrapolation == "linear" and transformer.degree < 2:
        raise translation.error(
            transformer, f"extrapolation='linear' requires degree 2 or more, not {transformer.degree}"
        )
    value = translation.numbers(columns)
    parts, width = [], 0
    for number, spline in enumerate(transformer.bsplines_):
        count = transformer.n_features_out_ // len(transformer.bsplines_)
        column = nodes.take(value, [number])
        if getattr(transformer, "handle_missing", "error") == "zeros":
            missing = nodes.add("IsNaN", [column])
            within = nodes.add("Where", [missing, translation.row([spline.t[spline.k]]), column])
            bases = _spline(translation, transformer.extrapolation, spline, count, within)
            parts.append(nodes.add("Where", [missing, translation.row([0.0]), bases]))
        else:
            parts.append(_spline(translation, transformer.extrapolation, spline, count, column))
        width += count
    return Matrix(translation.beside(parts), width)


def _spline(translation: Translation, extrapolation: str, spline: Any, count: int, value: str) -> str:
    """The first ``count`` bases at ``value`` [rows, 1]."""
    nodes = translation.nodes
    degree = spline.k
    knots = spline.t[degree : len(spline.t) - degree]
    pieces = _polynomials(spline, count)
    inside = value
    if extrapolation == "periodic":
        period, first = translation.row([knots[-1] - knots[0]]), translation.row([knots[0]])
        moved = nodes.add("Sub", [value, first])
        turns = nodes.add("Floor", [nodes.add("Div", [moved, period])])
        inside = nodes.add("Add", [nodes.add("Sub", [moved, nodes.add("Mul", [turns, period])]), first])
    elif extrapolation != "continue":
        low, high = translation.row([knots[0]]), translation.row([knots[-1]])
        inside = nodes.add("Min", [nodes.add("Max", [value, low]), high])
    if len(knots) > 2:
        axis = nodes.constant(np.array([1], dtype=np.int64))
        passed = nodes.cast(nodes.add("GreaterOrEqual", [inside, translation.row(knots[1:-1])]), np.int64)
        interval = nodes.add("ReduceSum", [passed, axis], keepdims=0)
    else:
        interval = nodes.cast(
            translation.flat(nodes.add("Greater", [inside, translation.row([np.inf])])), np.int64
        )
    start = translation.column(nodes.add("Gather", [nodes.constant(knots[:-1].copy()), interval], axis=0))
    offset = nodes.add("Sub", [inside, start])
    result = ""
    for power in pieces:
        row = nodes.add("Gather", [nodes.constant(np.ascontiguousarray(power)), interval], axis=0)
        result = row if not result else nodes.add("Add", [nodes.add("Mul", [result, offset]), row])
    if extrapolation != "linear":
        return result
    width = knots[-1] - knots[-2]
    powers = np.arange(degree, 0, -1)
    last = sum(power * pieces[degree - power][-1] * width ** (power - 1) for power in powers)
    first = pieces[degree - 1][0]
    below = nodes.add("Min", [nodes.add("Sub", [value, translation.row([knots[0]])]), translation.row([0.0])])
    above = nodes.add("Max", [nodes.add("Sub", [value, translation.row([knots[-1]])]), translation.row([0.0])])
    tangents = [
        nodes.add("Mul", [beyond, translation.row(slope)]) for beyond, slope in ((below, first), (above, last))
    ]
    return nodes.add("Add", [result, nodes.add("Add", tangents)])


def _polynomials(spline: Any, count: int) -> Any:
    """[degree + 1, intervals, count]: coefficients from the knot on the left, powers descending."""
    from scipy.interpolate import PPoly

    degree = spline.k
    bases = [PPoly.from_spline((spline.t, spline.c[:, index], degree)).c for index in range(count)]
    return np.stack(bases, axis=2)[:, degree : len(spline.t) - degree - 1]


def binarize(translation: Translation, binarizer: Any, columns: Columns) -> Matrix:
    """Binarizer: 1 above the threshold, else 0."""
    threshold = translation.row([float(binarizer.threshold)])
    above = translation.nodes.add("Greater", [translation.numbers(columns), threshold])
    return Matrix(translation.doubles(above), len(columns))


def scale_by_maximum(translation: Translation, scaler: Any, columns: Columns) -> Matrix:
    """MaxAbsScaler, with its ``clip``, which skl2onnx 1.20 ignores."""
    nodes = translation.nodes
    scaled = nodes.add("Div", [translation.numbers(columns), translation.row(scaler.scale_)])
    if getattr(scaler, "clip", False):
        scaled = nodes.add("Min", [nodes.add("Max", [scaled, translation.row([-1.0])]), translation.row([1.0])])
    return Matrix(scaled, len(columns))


def leaves(translation: Translation, embedding: Any, columns: Columns) -> Matrix:
    """RandomTreesEmbedding: 1 for the leaf that each tree leads to, one column a leaf."""
    encoder = embedding.one_hot_encoder_
    width = sum(map(len, encoder.categories_))
    ensemble = Ensemble(targets=width)
    start = 0
    for part, reached in zip(embedding.estimators_, encoder.categories_, strict=True):
        tree = part.tree_
        votes = np.zeros((tree.node_count, width))
        known = np.asarray(reached, dtype=np.int64)
        votes[known, start + np.arange(len(known))] = 1.0
        ensemble.plant(read_tree(tree, votes))
        start += len(known)
    summed = summed_votes(translation.nodes, translation.numbers(columns), ensemble, unrounded=True)
    return Matrix(summed, width)


def normalize(translation: Translation, normalizer: Any, columns: Columns) -> Matrix:
    """Normalizer: each row divided by its norm, rows of zeros by 1."""
    return Matrix(divided_by_norm(translation, translation.numbers(columns), normalizer.norm), len(columns))


def divided_by_norm(translation: Translation, value: str, kind: str) -> str:
    """[rows, columns] divided by each row's norm, "l1", "l2" or "max"; rows of zeros stay."""
    nodes = translation.nodes
    axis = nodes.constant(np.array([1], dtype=np.int64))
    size = nodes.add("Abs", [value])
    if kind == "max":
        norm = nodes.add("ReduceMax", [size, axis], keepdims=1)
    elif kind == "l1":
        norm = nodes.add("ReduceSum", [size, axis], keepdims=1)
    else:
        norm = nodes.add("Sqrt", [nodes.add("ReduceSum", [nodes.add("Mul", [value, value]), axis], keepdims=1)])
    is_zero = nodes.add("Equal", [norm, translation.row([0.0])])
    divisor = nodes.add("Where", [is_zero, translation.row([1.0]), norm])
    return nodes.add("Div", [value, divisor])
