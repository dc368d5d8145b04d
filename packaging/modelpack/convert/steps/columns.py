"""A table on its way through the graph: where each of its columns is.

Selecting, dropping and joining columns changes places only; a node is written where an estimator needs them side
by side.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True, slots=True)
class Matrix:
    """A tensor [rows, width] of doubles or of strings."""

    name: str
    width: int
    is_string: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """``places``: the tensor and index of each column. ``rows``: the first rows of the sample as scikit-learn
    hands them to the step, an array or frame [rows, columns], or [rows] where the step takes one column alone."""

    places: tuple[tuple[Matrix, int], ...]
    rows: Any

    def __len__(self) -> int:
        return len(self.places)

    def select(self, indices: Iterable[Any], *, one_dimensional: bool = False) -> "Columns":
        """The columns at ``indices``; ``one_dimensional``: the step takes its one column as [rows]."""
        indices = [int(index) for index in indices]
        rows = self.rows.iloc[:, indices] if isinstance(self.rows, pd.DataFrame) else self.rows[:, indices]
        if one_dimensional:
            rows = rows.iloc[:, 0] if isinstance(rows, pd.DataFrame) else rows[:, 0]
        return Columns(tuple(self.places[index] for index in indices), rows)

    def runs(self) -> Iterator[tuple[bool, list[tuple[Matrix, int]]]]:
        """Neighbouring columns of the same kind: whether they are strings, and their places."""
        for is_string, places in groupby(self.places, lambda place: place[0].is_string):
            yield is_string, list(places)


def joined(parts: Sequence[Columns], rows: Any) -> Columns:
    """The columns of ``parts`` in order; ``rows`` are theirs."""
    return Columns(tuple(place for part in parts for place in part.places), rows)


def columns_of(tensor: Matrix, rows: Any) -> Columns:
    """All columns of one tensor."""
    return Columns(tuple((tensor, index) for index in range(tensor.width)), rows)


def as_double(rows: Any) -> Any:
    """Numbers as an array of doubles, for a graph that is tried."""
    dense = rows.toarray() if hasattr(rows, "toarray") else rows
    return np.asarray(dense, dtype=np.float64)
