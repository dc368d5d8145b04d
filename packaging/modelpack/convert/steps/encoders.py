"""Encoders and discretizers that skl2onnx has not, or has in single precision."""

from typing import Any

import numpy as np

from serinus.modelpack.convert.discrete import category_index
from serinus.modelpack.convert.steps.columns import Columns, Tensor
from serinus.modelpack.convert.steps.translation import Translation


def target_means(translation: Translation, encoder: Any, columns: Columns) -> Tensor:
    """TargetEncoder: by value, and the mean of all for values that training had not."""
    nodes = translation.nodes
    several = encoder.target_type_ == "multiclass"
    classes = len(encoder.classes_) if several else 1
    means = np.asarray(encoder.target_mean_, dtype=np.float64).reshape(-1)
    parts = []
    for number, categories in enumerate(encoder.categories_):
        tensor, place = columns.places[number]
        column = nodes.take(tensor.name, [place]) if tensor.width > 1 else tensor.name
        index = category_index(nodes, column, tensor.is_string, categories, unseen=len(categories))
        encodings = encoder.encodings_[number * classes : (number + 1) * classes]
        table = np.column_stack(
            [np.append(encoding, mean) for encoding, mean in zip(encodings, means, strict=True)]
        )
        parts.append(nodes.add("Gather", [nodes.constant(np.ascontiguousarray(table)), index], axis=0))
    return Tensor(translation.beside(parts), classes * len(parts))


def bins(translation: Translation, discretizer: Any, columns: Columns) -> Tensor:
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
    return Tensor(translation.beside(parts), width)


def splines(translation: Translation, transformer: Any, columns: Columns) -> Tensor:
    """SplineTransformer: each basis as a polynomial between two knots, constant beyond the outer ones."""
    from scipy.interpolate import PPoly

    nodes = translation.nodes
    if transformer.extrapolation not in ("constant", "continue"):
        raise translation.error(transformer, f"extrapolation={transformer.extrapolation!r} is not supported")
    value = translation.numbers(columns)
    axis = nodes.constant(np.array([1], dtype=np.int64))
    parts, width = [], 0
    for number, spline in enumerate(transformer.bsplines_):
        degree = spline.k
        knots = spline.t[degree : len(spline.t) - degree]
        count = spline.c.shape[1] - (0 if transformer.include_bias else 1)
        # [degree + 1, intervals, splines], powers descending, from the knot on the left.
        bases = [PPoly.from_spline((spline.t, spline.c[:, index], degree)).c for index in range(count)]
        pieces = np.stack(bases, axis=2)[:, degree : len(spline.t) - degree - 1]
        column = nodes.take(value, [number])
        inside = column
        if transformer.extrapolation == "constant":
            inside = nodes.add(
                "Min", [nodes.add("Max", [column, translation.row([knots[0]])]), translation.row([knots[-1]])]
            )
        if len(knots) > 2:
            passed = nodes.cast(nodes.add("GreaterOrEqual", [inside, translation.row(knots[1:-1])]), np.int64)
            interval = nodes.add("ReduceSum", [passed, axis], keepdims=0)
        else:
            reached = nodes.add("Greater", [inside, translation.row([np.inf])])
            interval = nodes.cast(translation.flat(reached), np.int64)
        start = translation.column(nodes.add("Gather", [nodes.constant(knots[:-1].copy()), interval], axis=0))
        offset = nodes.add("Sub", [inside, start])
        result = ""
        for power in pieces:
            row = nodes.add("Gather", [nodes.constant(np.ascontiguousarray(power)), interval], axis=0)
            result = row if not result else nodes.add("Add", [nodes.add("Mul", [result, offset]), row])
        parts.append(result)
        width += count
    return Tensor(translation.beside(parts), width)
