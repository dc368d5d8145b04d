"""Reads the leaves of an ONNX TreeEnsemble (ai.onnx.ml 5) as boxes, of which Shapley values are exact sums.

https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from serinus.lambda_handlers.explain.trees import Array, LeafBoxes
from serinus.modelpack.convert.ensemble import LEQ, LT, MEMBER
from serinus.modelpack.errors import ConversionError

_SUM = 1


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What a path requires of one column. ``members`` are sets of categories, and whether they are inside."""

    lower: float = np.nan
    upper: float = np.inf
    missing: bool = True
    members: tuple[tuple[frozenset[float], bool], ...] = ()


_Path = dict[int, _Bounds]


def read_leaf_boxes(node: Any, owners: Sequence[int]) -> LeafBoxes:
    """The leaves of TreeEnsemble ``node``. ``owners``: the feature of each input column; one-hot columns have the
    same. Raises `ConversionError` for comparisons and sums that boxes cannot express."""
    import onnx

    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    if attributes.get("aggregate_function", _SUM) != _SUM or attributes.get("post_transform", 0) != 0:
        raise ConversionError("exact explanations need an ensemble that sums its trees, without a transform.")
    splits = onnx.numpy_helper.to_array(attributes["nodes_splits"])
    weights = onnx.numpy_helper.to_array(attributes["leaf_weights"])
    targets = np.array(attributes["leaf_targetids"])
    leaves: list[tuple[int, list[list[tuple[int, _Bounds]]], list[int]]] = []
    for leaf, path in _paths(attributes, splits):
        by_owner: dict[int, list[tuple[int, _Bounds]]] = {}
        for column, bounds in path.items():
            by_owner.setdefault(owners[column], []).append((column, bounds))
        leaves.append((leaf, list(by_owner.values()), list(by_owner)))
    return _lay_out(leaves, splits.dtype, targets, weights)


def _paths(attributes: dict[str, Any], splits: Array) -> Iterator[tuple[int, _Path]]:
    """Every leaf that votes, with the bounds on its path; leaves that no value reaches are left out."""
    modes = np.frombuffer(attributes["nodes_modes"].raw_data, np.uint8)
    if not len(modes):
        modes = np.array(attributes["nodes_modes"].int32_data, np.uint8)
    if other := sorted(set(modes.tolist()) - {LEQ, LT, MEMBER}):
        raise ConversionError(f"exact explanations do not know the comparison of number {other[0]}.")
    members = _members(attributes, modes)
    missing = attributes.get("nodes_missing_value_tracks_true") or [0] * len(splits)
    for root in attributes["tree_roots"]:
        stack: list[tuple[bool, int, _Path]] = [(False, root, {})]
        while stack:
            is_leaf, number, path = stack.pop()
            if is_leaf:
                yield number, path
                continue
            column = attributes["nodes_featureids"][number]
            for side, goes_true in (("true", True), ("false", False)):
                bounds = _narrowed(
                    path.get(column, _Bounds()),
                    int(modes[number]),
                    splits[number],
                    members.get(number),
                    goes_true,
                    bool(missing[number]) == goes_true,
                )
                if bounds.lower >= bounds.upper and not bounds.missing:
                    continue
                end = bool(attributes[f"nodes_{side}leafs"][number])
                child = attributes[f"nodes_{side}nodeids"][number]
                stack.append((end, child, {**path, column: bounds}))


def _narrowed(
    bounds: _Bounds, mode: int, split: Any, members: frozenset[float] | None, goes_true: bool, missing: bool
) -> _Bounds:
    missing = missing and bounds.missing
    if members is not None:
        return replace(bounds, missing=missing, members=(*bounds.members, (members, goes_true)))
    # x < t holds for the same numbers as x <= the number before t.
    at = float(np.nextafter(split, split.dtype.type(-np.inf)) if mode == LT else split)
    if goes_true:
        return replace(bounds, upper=min(bounds.upper, at), missing=missing)
    return replace(bounds, lower=float(np.fmax(bounds.lower, at)), missing=missing)


def _members(attributes: dict[str, Any], modes: Array) -> dict[int, frozenset[float]]:
    """By node that compares with a set, the set: they lie end to end, NaN after each."""
    import onnx

    if not (modes == MEMBER).any():
        return {}
    values = onnx.numpy_helper.to_array(attributes["membership_values"])
    ends = np.flatnonzero(np.isnan(values))
    sets = np.split(values, ends)
    return {
        int(node): frozenset(float(value) for value in held if not np.isnan(value))
        for node, held in zip(np.flatnonzero(modes == MEMBER), sets, strict=False)
    }


def _lay_out(leaves: list[Any], dtype: Any, targets: Array, weights: Array) -> LeafBoxes:
    depth = max((len(slots) for _, slots, _ in leaves), default=0)
    wide = max((len(slot) for _, slots, _ in leaves for slot in slots), default=1)
    shape = (len(leaves), depth, wide)
    column, lower, upper = np.zeros(shape, np.int32), np.full(shape, np.nan, dtype), np.full(shape, np.inf, dtype)
    missing, feature = np.ones(shape, np.bool_), np.full(shape[:2], -1, np.int32)
    conditions: list[tuple[int, tuple[tuple[frozenset[float], bool], ...]]] = []
    for row, (_, slots, owners) in enumerate(leaves):
        feature[row, : len(owners)] = owners
        for place, slot in enumerate(slots):
            for part, (number, bounds) in enumerate(slot):
                at = (row, place, part)
                column[at], lower[at], upper[at], missing[at] = number, bounds.lower, bounds.upper, bounds.missing
                if bounds.members:
                    conditions.append((int(np.ravel_multi_index(at, shape)), bounds.members))
    known = sorted({value for _, members in conditions for held, _ in members for value in held})
    inside = np.ones((len(conditions), len(known) + 1), np.bool_)
    for row, (_, members) in enumerate(conditions):
        for held, goes_true in members:
            inside[row] &= np.array([(value in held) == goes_true for value in [*known, np.nan]])
    numbers = np.array([leaf for leaf, _, _ in leaves], np.int64)
    return LeafBoxes(
        column,
        lower,
        upper,
        missing,
        feature,
        targets[numbers],
        weights[numbers].astype(np.float64),
        np.array([at for at, _ in conditions], np.int64),
        np.array(known, dtype),
        inside,
    )
