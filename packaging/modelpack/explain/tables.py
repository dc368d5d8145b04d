"""Sums over the background, at packaging, what the function would otherwise sum for every row."""

import numpy as np

from serinus.lambda_handlers.explain.trees import Array, LeafBoxes, PatternExplainer, TableExplainer
from serinus.lambda_handlers.explain.weights import shapley_weights
from serinus.modelpack.errors import ConversionError

#: Most bytes of a table, or of patterns: Lambda loads them with the first explanation.
LARGEST_BYTES = 16 * 2**20
#: Most features on a path for which patterns are kept; each doubles the number of them.
DEEPEST_PATTERNS = 10
_ROWS_AT_ONCE = 64
_PATTERN_BYTES = 4 + 2 + 4


def explain_trees(
    boxes: LeafBoxes, background: Array, features: int, targets: int, *, largest_bytes: int = LARGEST_BYTES
) -> TableExplainer | PatternExplainer:
    """A table where it fits ``largest_bytes``, or else patterns. ``background`` [rows, columns] are the ensemble's
    inputs. Raises `ConversionError` where neither fits."""
    full = (1 << boxes.depth) - 1
    if boxes.depth > DEEPEST_PATTERNS:
        raise ConversionError(
            f"exact explanations need paths of at most {DEEPEST_PATTERNS} features; the longest has {boxes.depth}."
        )
    patterns = np.concatenate(
        [
            boxes.patterns(background[start : start + _ROWS_AT_ONCE]).astype(np.uint16)
            for start in range(0, len(background), _ROWS_AT_ONCE)
        ]
    )
    reached = (patterns == full).mean(axis=0) * boxes.value
    base = np.bincount(boxes.target, reached, targets)
    if (full + 1) * boxes.feature.size * 4 <= largest_bytes:
        return TableExplainer(boxes, _table(boxes, patterns), base, features)
    keys, counts = np.unique(
        np.arange(len(boxes.value)) << boxes.depth | patterns.astype(np.int64), return_counts=True
    )
    if len(keys) * _PATTERN_BYTES > largest_bytes:
        raise ConversionError(
            f"exact explanations need {len(keys) * _PATTERN_BYTES:,} bytes; at most {largest_bytes:,} are shipped."
        )
    leaf = keys >> boxes.depth
    weight = counts / len(background) * boxes.value[leaf]
    return PatternExplainer(boxes, leaf.astype(np.int32), keys & full, weight, base, features)


def _table(boxes: LeafBoxes, patterns: Array) -> Array:
    """[leaves, 2 ** depth, depth], float32."""
    depth, size = boxes.depth, 1 << boxes.depth
    counts = np.zeros((len(boxes.value), size))
    for row in patterns:
        counts[np.arange(len(counts)), row] += 1.0
    counts *= (boxes.value / len(patterns))[:, None]
    row, other = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    ones = np.array([number.bit_count() for number in range(size)])
    row_alone, background_alone = row & ~other, other & ~row
    from_row, from_background = shapley_weights(depth)
    a, b = ones[row_alone], ones[background_alone]
    never = (row | other) != size - 1
    slots = np.arange(depth)
    parts = (row_alone[..., None] >> slots & 1) * from_row[a, b][..., None]
    parts = parts - (background_alone[..., None] >> slots & 1) * from_background[a, b][..., None]
    parts[never] = 0.0
    by_pattern = parts.transpose(1, 0, 2).reshape(size, size * depth)
    table: Array = (counts @ by_pattern).reshape(len(counts), size, depth).astype(np.float32)
    return table
