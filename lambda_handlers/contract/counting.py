"""Counts the values of the graph's inputs and outputs into streams, in the function and at packaging alike."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from serinus.lambda_handlers.contract.monitored import Column, Monitored, Role
from serinus.lambda_handlers.contract.signature import Feature, Signature

# `numpy.typing` is not loaded for this: the function counts with these.
Array = np.ndarray[Any, np.dtype[Any]]
Counts = np.ndarray[Any, np.dtype[np.int64]]
Feeds = Mapping[str, Array]

#: Columns of an output that are watched; nobody looks at each dimension of an embedding.
MOST_OUTPUT_COLUMNS = 10


class Source(NamedTuple):
    """Where a column's values are: in the input or output ``tensor``, [rows] or [rows, ...]; at ``position`` of
    the second axis, or all of a row's values where None. ``missing`` is the text that stands for a missing one."""

    name: str
    role: Role
    tensor: str
    position: int | None
    missing: str | None = None


def sources_of(signature: Signature) -> dict[tuple[str, str], Source]:
    """By role and name, every column that could be watched."""
    sources = [
        _feature_source(signature.features[names.index(feature)], tensor.name, position)
        for names in [signature.feature_names()]
        for tensor in signature.addressed_tensors()
        for position, feature in enumerate(tensor.features)
    ]
    for output in signature.outputs:
        width = 1 if len(output.shape) == 1 else output.shape[-1]
        if len(output.shape) > 2 or width is None or (output.role == "tensor" and width > MOST_OUTPUT_COLUMNS):
            continue
        if width == 1:
            position = None if len(output.shape) == 1 else 0
            sources.append(Source(output.name, "output", output.name, position))
            continue
        labels = signature.classes if output.role == "probabilities" and signature.classes else range(width)
        # Of two classes, one probability follows from the other.
        chosen = [1] if output.role == "probabilities" and width == 2 else range(min(width, MOST_OUTPUT_COLUMNS))
        sources += [Source(f"{output.name} of {labels[i]}", "output", output.name, i) for i in chosen]
    return {(source.role, source.name): source for source in sources}


def _feature_source(feature: Feature, tensor: str, position: int) -> Source:
    if feature.shape:
        return Source(feature.name, "input", tensor, None)
    missing = feature.missing_string if feature.dtype == "string" else None
    return Source(feature.name, "input", tensor, position, missing)


def values_of(source: Source, arrays: Feeds) -> Array:
    """A column's values, in one dimension."""
    tensor = arrays[source.tensor]
    return tensor.ravel() if source.position is None else tensor[:, source.position]


def compile_counter(signature: Signature, monitored: Monitored) -> Callable[[Feeds, Mapping[str, Array]], Counts]:
    """A function from feeds and outputs by name, of the same rows, to the counts of all streams [streams]; raises
    `KeyError` where the signature lacks a column."""
    sources = sources_of(signature)
    numbers: dict[tuple[str, str], list[tuple[int, Column, Source]]] = {}
    categories = []
    for column, start in monitored.starts():
        source = sources[column.role, column.name]
        if column.kind == "category":
            categories.append((start, column.role == "input", source, _category_index(column, source)))
        else:
            numbers.setdefault((column.role, source.tensor), []).append((start, column, source))
    blocks = [(role == "input", tensor, _NumberBlock(items)) for (role, tensor), items in numbers.items()]
    size = monitored.streams

    def count(feeds: Feeds, outputs: Mapping[str, Array]) -> Counts:
        counts = np.zeros(size, np.int64)
        for is_input, tensor, block in blocks:
            block.count((feeds if is_input else outputs)[tensor], counts)
        for start, is_input, source, (index, unseen) in categories:
            found = Counter(values_of(source, feeds if is_input else outputs).tolist())
            for value, times in found.items():
                # NaN is the one value that differs from itself.
                place = index.get(value, unseen) if value == value else unseen + 1
                counts[start + place] += times
        return counts

    return count


class _NumberBlock:
    """The watched columns of one tensor of numbers, counted together.

    Everything is a count of values at most a threshold: the edges, the last number below the minimum, the maximum,
    and infinity, which only missing values are not at most.
    """

    def __init__(self, items: Sequence[tuple[int, Column, Source]]) -> None:
        # None for a tensor that is one column.
        self._positions = None if items[0][2].position is None else np.array([item[2].position for item in items])
        self._widest = widest = max(len(column.edges) for _, column, _ in items)
        thresholds = np.full((len(items), widest + 3), np.nan)
        places: list[int] = []
        filled: list[list[int]] = []
        for row, (start, column, _) in enumerate(items):
            edges = len(column.edges)
            thresholds[row, :edges] = column.edges
            thresholds[row, widest:] = column.minimum, column.maximum, np.inf
            places += range(start, start + column.streams)
            filled += [[row, at] for at in (*range(edges), *range(widest, widest + 3))]
        self._places = np.array(places)
        self._filled = tuple(np.array(filled).T)
        self._thresholds = {np.dtype(dtype): _round_down(thresholds, widest, dtype) for dtype in _COMPARED}

    def count(self, tensor: Array, counts: Counts) -> None:
        """Add the counts of ``tensor`` [rows, ...] to those of all streams."""
        dtype = tensor.dtype if tensor.dtype in self._thresholds else np.dtype(np.float64)
        thresholds = self._thresholds[dtype]
        rows = tensor.reshape(-1, 1) if self._positions is None else tensor
        at_most = np.zeros(thresholds.shape[:2], np.int64)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            columns = rows[start : start + _ROWS_AT_ONCE].T
            picked = columns if self._positions is None else columns[self._positions]
            at_most += _count_at_most(np.ascontiguousarray(picked, dtype), thresholds)
        below, within, present = at_most[:, self._widest :].T
        others = [len(rows) - present, below, present - within]
        counts[self._places] += np.column_stack([at_most[:, : self._widest], *others])[self._filled]


#: Types in which numbers are compared; others become the last.
_COMPARED = (np.float32, np.float64)
#: Rows that are compared at once: more memory than that is fetched from the system each time, which takes longer
#: than the comparison.
_ROWS_AT_ONCE = 256
_BITS = 64


def _round_down(thresholds: Array, minimum_at: int, dtype: type[np.floating[Any]]) -> Array:
    """The largest numbers of ``dtype`` that are at most the thresholds, and below that of the minimum: a number of
    this type is at most one exactly if it is at most the other."""
    with np.errstate(over="ignore"):
        rounded = thresholds.astype(dtype)
    too_large = rounded > thresholds
    too_large[:, minimum_at] |= rounded[:, minimum_at] == thresholds[:, minimum_at]
    return np.where(too_large, np.nextafter(rounded, dtype(-np.inf)), rounded)[:, :, None]


def _count_at_most(values: Array, thresholds: Array) -> Counts:
    """How many ``values`` [columns, rows] are at most each of their column's ``thresholds`` [columns, thresholds,
    1]. Truths are counted as bits, 64 at a time: a third of the time of a sum."""
    columns, rows = values.shape
    truths = np.empty((columns, thresholds.shape[1], -(-rows // _BITS) * _BITS), bool)
    truths[:, :, rows:] = False
    np.less_equal(values[:, None, :], thresholds, out=truths[:, :, :rows])
    words = np.packbits(truths.reshape(-1)).view(np.uint64)
    counted: Counts = np.bitwise_count(words).reshape(*truths.shape[:2], -1).sum(-1, dtype=np.int64)
    return counted


def _category_index(column: Column, source: Source) -> tuple[dict[Any, int], int]:
    """The place of each known value among the column's streams, and that of unseen values."""
    top = len(column.categories)
    index: dict[Any, int] = dict.fromkeys(column.rest, top)
    index |= {value: place for place, value in enumerate(column.categories)}
    if source.missing is not None and source.missing not in index:
        index[source.missing] = top + 2
    return index, top + 1
