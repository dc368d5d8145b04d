"""From a bundle's monitored columns to the streams that the clocks watch, and from blocks to their counts."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from serinus.lambda_handlers.contract.monitored import Column, Monitored
from serinus.lambda_handlers.monitoring.hours import Block
from serinus.lambda_handlers.monitoring.streams import Floats, Streams

#: The name of the column that the endpoint itself has: requests, of which some are refused.
REFUSED = "refused requests"
#: A share of refused requests up to this is no finding: callers make mistakes.
TOLERATED_REFUSALS = 0.05


class _Part(NamedTuple):
    """A tested column, and where its counts begin on a line."""

    column: Column
    start: int


class EndpointStreams:
    """``streams`` of the tested columns, and of the share of refused requests as the last one. A column of
    ``ignored`` names is not tested."""

    def __init__(self, monitored: Monitored, ignored: Collection[str] = ()) -> None:
        self.monitored = monitored
        self._inputs = {column.name for column in monitored.columns if column.role == "input"}
        self._parts = [
            _Part(column, start)
            for column, start in monitored.starts()
            if column.bands and not (column.role == "input" and column.name in ignored)
        ]
        bands = [band for part in self._parts for band in part.column.bands]
        low, high = zip(*bands, (0.0, TOLERATED_REFUSALS), strict=True)
        owners = [place for place, part in enumerate(self._parts) for _ in part.column.bands]
        names = [self.name_of(part.column) for part in self._parts]
        self.streams = Streams.of(low, high, [*owners, len(names)], [*names, REFUSED])
        self._words = [word for part in self._parts for word in part.column.describe_streams()] + ["refused"]

    def name_of(self, column: Column) -> str:
        """A column's name, told from others of the same name."""
        if column.role == "output" and column.name in self._inputs:
            return f"prediction {column.name}"
        return f"input {column.name}" if column.name == REFUSED else column.name

    def describe(self, stream: int) -> str:
        """A stream in words."""
        return self._words[stream]

    def column_at(self, place: int) -> Column | None:
        """The column at a place of `Streams.columns`; None for the refused requests."""
        return self._parts[place].column if place < len(self._parts) else None

    def count(self, blocks: Sequence[Block]) -> tuple[Floats, Floats]:
        """Counts and totals [blocks, streams] of ``blocks``. A mean rank is the mean of counts at all edges."""
        size = len(self._words)
        counts, totals = np.zeros((len(blocks), size)), np.zeros((len(blocks), size))
        for row, block in enumerate(blocks):
            at = 0
            for column, start in self._parts:
                values = block.counts[start : start + column.streams]
                counts[row, at : at + len(values)] = values
                if column.has_mean_rank:
                    counts[row, at + len(values)] = np.mean(values[: len(column.edges)])
                totals[row, at : at + len(column.bands)] = block.rows * column.values
                at += len(column.bands)
            counts[row, -1], totals[row, -1] = block.refused, block.requests
        return counts, totals


def column_shares(column: Column, counts: Sequence[int], total: int) -> dict[str, float]:
    """A column's bins in words, which add to everything, with their shares. ``counts`` are as on a line."""
    if total <= 0:
        return {}
    if column.kind == "category":
        return {word: count / total for word, count in zip(column.describe_streams(), counts, strict=True)}
    edges = len(column.edges)
    cumulative = [0, *counts[:edges], total - counts[edges]]
    shares = [(b - a) / total for a, b in pairwise(cumulative)]
    return {**dict(zip(column.describe_bins(), shares, strict=True)), "missing": counts[edges] / total}


def stability_index(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    """The population stability index of two sets of shares: 0 where they agree."""
    pairs = [(max(share, _SMALLEST), max(now.get(word, 0.0), _SMALLEST)) for word, share in before.items()]
    return float(sum((b - a) * np.log(b / a) for a, b in pairs))


#: A choice: without one, an empty bin would make the index infinite.
_SMALLEST = 1e-4
