"""The trees of scikit-learn's HistGradientBoosting, with splits on categories.

Before its trees the model moves categories first and encodes them by number; here the trees get the original
columns and values instead, so that the graph needs no such step.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.modelpack.convert.ensemble import LEQ, MEMBER, Ints, Tree


@dataclass(frozen=True, slots=True)
class _OriginalColumns:
    """By column of the trees: the model's own column, and the values behind the codes of known categories."""

    origin: Ints
    values: dict[int, dict[int, float]]


def read_stages(model: Any) -> Iterator[list[Tree]]:
    """Trees by stage. They compare the model's own columns and values, but for categories that are strings, whose
    columns hold their codes (`string_categories`)."""
    columns = _read_columns(model)
    for stage in model._predictors:
        yield [_read_tree(predictor, columns) for predictor in stage]


def _read_columns(model: Any) -> _OriginalColumns:
    flags = getattr(model, "is_categorical_", None)
    if flags is None or not flags.any():
        return _OriginalColumns(np.arange(model.n_features_in_), {})
    encoder = model._preprocessor.named_transformers_["encoder"]
    known, rows = model._bin_mapper.make_known_categories_bitsets()
    values = {}
    for column, categories in enumerate(encoder.categories_):
        known_codes = [code for code in _members(known[rows[column]]) if code < len(categories)]
        numbers = as_numbers(categories)
        values[column] = {code: float(code if numbers is None else numbers[code]) for code in known_codes}
    return _OriginalColumns(np.concatenate([np.flatnonzero(flags), np.flatnonzero(~flags)]), values)


def as_numbers(categories: Any) -> npt.NDArray[np.float64] | None:
    """Categories as numbers, also those that scikit-learn keeps as objects; None where one is a string."""
    if any(isinstance(value, str) for value in categories):
        return None
    return np.array([np.nan if value is None else float(value) for value in categories])


def string_categories(model: Any) -> dict[int, npt.NDArray[Any]]:
    """By column of the model, the categories of each column whose categories are strings."""
    flags = getattr(model, "is_categorical_", None)
    if flags is None or not flags.any():
        return {}
    categories = model._preprocessor.named_transformers_["encoder"].categories_
    return {
        int(column): np.asarray(values, dtype=object)
        for column, values in zip(np.flatnonzero(flags), categories, strict=True)
        if as_numbers(values) is None
    }


def _read_tree(predictor: Any, columns: _OriginalColumns) -> Tree:
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(np.bool_)
    left = np.where(is_leaf, -1, nodes["left"].astype(np.int64))
    right = np.where(is_leaf, -1, nodes["right"].astype(np.int64))
    missing_left = nodes["missing_go_to_left"].astype(np.bool_)
    mode = np.full(len(nodes), LEQ)
    members: dict[int, tuple[float, ...]] = {}
    for node in np.flatnonzero(nodes["is_categorical"].astype(np.bool_) & ~is_leaf).tolist():
        values = columns.values[int(nodes["feature_idx"][node])]
        codes = set(_members(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])) & set(values)
        if missing_left[node]:
            # An unseen value goes where a missing one does, so the other side is listed.
            left[node], right[node] = right[node], left[node]
            codes = set(values) - codes
            missing_left[node] = False
        mode[node] = MEMBER
        # The operator cannot parse an empty list: list infinity, which equals no number.
        members[node] = tuple(values[code] for code in sorted(codes)) or (np.inf,)
    return Tree(
        left=left,
        right=right,
        feature=np.where(is_leaf, 0, columns.origin[nodes["feature_idx"].astype(np.int64)]),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=missing_left,
        votes=nodes["value"].astype(np.float64).reshape(-1, 1),
        mode=mode,
        members=members,
    )


def _members(bits: Any) -> list[int]:
    """The numbers whose bits are set in words of 32."""
    return [index * 32 + bit for index, word in enumerate(bits.tolist()) for bit in range(32) if word >> bit & 1]
