"""Exact interventional Shapley values of a tree ensemble, a row at a time.

A leaf is reached where every feature of its path lies within bounds. A row is one bit pattern a leaf: which
features do. Packaging summed over the background what each pattern contributes (`TableExplainer`), or, where that
is too large, kept the background's own patterns (`PatternExplainer`). Source: arXiv 2511.09376.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.explain.weights import shapley_weights

Array = npt.NDArray[Any]


class LeafBoxes(NamedTuple):
    """Leaves as boxes, in L leaves x D features of a path x K columns of a feature (several where it is one-hot).

    ``column`` [L, D, K]: the ensemble's input columns; ``lower`` (exclusive, NaN for none), ``upper`` (inclusive)
    and ``missing`` (whether NaN is inside), of the same shape. ``feature`` [L, D]: numbers of features, -1 where a
    path has fewer. ``target`` and ``value`` [L]: what a leaf votes, and for which output.

    ``member_at`` [M]: positions, in the flattened boxes, that hold for some categories alone: ``member_inside``
    [M, V + 1] says for which of ``member_values`` [V], its last column for any other value.
    """

    column: Array
    lower: Array
    upper: Array
    missing: Array
    feature: Array
    target: Array
    value: Array
    member_at: Array
    member_values: Array
    member_inside: Array

    @property
    def depth(self) -> int:
        """Most features on one path."""
        return int(self.feature.shape[1])

    def patterns(self, columns: Array) -> Array:
        """[rows, leaves], int64: bit d is set where a row of ``columns`` [rows, columns] is within the bounds of
        the d-th feature. Values are compared in the precision of the bounds."""
        values = columns.astype(self.upper.dtype)[:, self.column]
        inside = ~(values <= self.lower) & (values <= self.upper)
        if len(self.member_at):
            flat = values.reshape(len(values), -1)[:, self.member_at]
            nearest = np.searchsorted(self.member_values, flat).clip(max=len(self.member_values) - 1)
            code = np.where(self.member_values[nearest] == flat, nearest, len(self.member_values))
            # A member node's bounds are open, which NaN alone fails.
            inside.reshape(len(values), -1)[:, self.member_at] &= self.member_inside[
                np.arange(len(self.member_at)), code
            ]
        if self.missing.any():
            inside |= np.isnan(values) & self.missing
        bits = inside.all(axis=-1) if inside.shape[-1] > 1 else inside[..., 0]
        return bits @ (1 << np.arange(self.depth))


class TableExplainer(NamedTuple):
    """``table`` [leaves, 2 ** depth, depth]: what each feature of a path contributes, by the row's pattern."""

    boxes: LeafBoxes
    table: Array
    base: Array
    features: int

    def explain(self, columns: Array) -> Array:
        """Values [rows, targets, features] of ``columns`` [rows, columns]; with `base` they sum to the output."""
        at, flat, size = np.arange(len(self.table)), *_bins(self)
        values = [np.bincount(flat, self.table[at, row].ravel(), size) for row in self.boxes.patterns(columns)]
        return _by_feature(np.array(values), self)


class PatternExplainer(NamedTuple):
    """The background's distinct patterns: ``leaf``, ``pattern`` and ``weight`` (its share, times the leaf's
    value), [patterns] each."""

    boxes: LeafBoxes
    leaf: Array
    pattern: Array
    weight: Array
    base: Array
    features: int

    def explain(self, columns: Array) -> Array:
        """As `TableExplainer.explain`."""
        depth, (flat, size) = self.boxes.depth, _bins(self)
        bins, full = flat.reshape(-1, depth), (1 << depth) - 1
        counts = np.array([number.bit_count() for number in range(full + 1)])
        from_row, from_background = shapley_weights(depth)
        values = np.zeros((len(columns), size))
        for number, patterns in enumerate(self.boxes.patterns(columns)):
            own = patterns[self.leaf]
            reached = (own | self.pattern) == full
            own, other, leaf = own[reached], self.pattern[reached], self.leaf[reached]
            row_alone, background_alone = own & ~other, other & ~own
            a, b = counts[row_alone], counts[background_alone]
            gain, loss = from_row[a, b] * self.weight[reached], from_background[a, b] * self.weight[reached]
            for slot in range(depth):
                part = (row_alone >> slot & 1) * gain - (background_alone >> slot & 1) * loss
                values[number] += np.bincount(bins[leaf, slot], part, size)
        return _by_feature(values, self)


def _bins(explainer: "TableExplainer | PatternExplainer") -> tuple[Array, int]:
    """For each slot of each leaf the number of its target and feature, flattened, and how many there are. A target
    has one bin more than features, for slots that no feature has."""
    boxes, width = explainer.boxes, explainer.features + 1
    flat = boxes.target[:, None] * width + np.where(boxes.feature < 0, explainer.features, boxes.feature)
    return flat.ravel(), len(explainer.base) * width


def _by_feature(values: Array, explainer: "TableExplainer | PatternExplainer") -> Array:
    return values.reshape(len(values), len(explainer.base), explainer.features + 1)[..., :-1]
