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


class PatternExplainer:
    """The background's distinct patterns: ``leaf``, ``pattern`` and ``weight`` (its share, times the leaf's
    value), [patterns] each.

    Where a row reaches a leaf with a background row, features outside the pattern come from the row, and features
    outside the row's pattern from the background. So what is outside each pattern is prepared once.
    """

    def __init__(
        self, boxes: LeafBoxes, leaf: Array, pattern: Array, weight: Array, base: Array, features: int
    ) -> None:
        self.boxes, self.leaf, self.pattern, self.weight = boxes, leaf, pattern, weight
        self.base, self.features = base, features
        depth = boxes.depth
        self._flat, self._size = _bins(self)
        self._full = (1 << depth) - 1
        self._ones = np.array([number.bit_count() for number in range(self._full + 1)])
        self._from_row, self._from_background = shapley_weights(depth)
        self._outside = depth - self._ones[pattern]
        self._is_outside = (~pattern[:, None] >> np.arange(depth) & 1).astype(np.float64)

    def explain(self, columns: Array) -> Array:
        """As `TableExplainer.explain`."""
        values = [self._row_values(patterns) for patterns in self.boxes.patterns(columns)]
        return _by_feature(np.array(values).reshape(len(columns), self._size), self)

    def _row_values(self, patterns: Array) -> Array:
        """[targets x (features + 1)], of a row's patterns [leaves]."""
        depth = self.boxes.depth
        reached = np.flatnonzero((patterns[self.leaf] | self.pattern) == self._full)
        leaf, outside, weight = self.leaf[reached], self._outside[reached], self.weight[reached]
        b = (depth - self._ones[patterns])[leaf]
        gain = self._from_row[outside, b] * weight
        loss = np.bincount(leaf, self._from_background[outside, b] * weight, len(patterns))
        gains = [np.bincount(leaf, part, len(patterns)) for part in self._is_outside[reached].T * gain]
        lost = (~patterns[:, None] >> np.arange(depth) & 1) * loss[:, None]
        values: Array = np.bincount(self._flat, (np.array(gains).T - lost).ravel(), self._size)
        return values


def _bins(explainer: "TableExplainer | PatternExplainer") -> tuple[Array, int]:
    """For each slot of each leaf the number of its target and feature, flattened, and how many there are. A target
    has one bin more than features, for slots that no feature has."""
    boxes, width = explainer.boxes, explainer.features + 1
    flat = boxes.target[:, None] * width + np.where(boxes.feature < 0, explainer.features, boxes.feature)
    return flat.ravel(), len(explainer.base) * width


def _by_feature(values: Array, explainer: "TableExplainer | PatternExplainer") -> Array:
    return values.reshape(len(values), len(explainer.base), explainer.features + 1)[..., :-1]
