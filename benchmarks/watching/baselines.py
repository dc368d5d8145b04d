"""Baselines of simulated endpoints: samples, edges and bands, by the functions of `serinus package`."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.monitoring.streams import Streams
from serinus.modelpack.bands import (
    RARE_TOLERANCE,
    Band,
    category_bands,
    decile_ranks,
    level_of,
    number_bands,
    share_band,
    unseen_band,
)
from watching.columns import (
    CATEGORICAL,
    CATEGORIES,
    COLUMNS,
    EDGES,
    KINDS,
    NUMBERS,
    STREAMS_OF_CATEGORY,
    STREAMS_OF_NUMBER,
    Floats,
    Number,
)

LEVEL = level_of(NUMBERS * STREAMS_OF_NUMBER + CATEGORICAL * STREAMS_OF_CATEGORY)
#: A value that so large a share of the sample has is a point of mass, with an edge just before it.
MASS = 0.1
COLUMN = np.repeat(
    np.arange(NUMBERS + CATEGORICAL), [STREAMS_OF_NUMBER] * NUMBERS + [STREAMS_OF_CATEGORY] * CATEGORICAL
)


@dataclass(frozen=True, slots=True)
class Baselines:
    """Of several runs at once. ``places`` [runs, numbers, 11]: minimum, edges and maximum as normal numbers; edges
    that a column lacks lie at its maximum, and their band is the whole range."""

    places: Floats
    streams: Streams


def draw_baselines(rng: np.random.Generator, means: Floats, weights: Floats, rows: int) -> Baselines:
    """Baselines of ``rows`` rows, drawn from a day with hourly means [runs, numbers, 24] and shares of rows
    [24]."""
    runs = len(means)
    hours = rng.choice(24, (runs, rows), p=weights)
    of_rows = np.take_along_axis(means, np.broadcast_to(hours[:, None], (runs, NUMBERS, rows)), axis=-1)
    normal = rng.standard_normal((runs, NUMBERS, rows)) + of_rows
    places = np.empty((runs, NUMBERS, EDGES + 2))
    low, high = np.zeros((runs, NUMBERS, STREAMS_OF_NUMBER)), np.ones((runs, NUMBERS, STREAMS_OF_NUMBER))
    rare = share_band(0, rows, LEVEL, RARE_TOLERANCE)
    low[..., EDGES + 1 :], high[..., EDGES + 1 :] = rare
    for run in range(runs):
        for number, kind in enumerate(KINDS):
            values = np.sort(kind.values(normal[run, number]))
            edges, counts = _edges(values, kind)
            places[run, number, 0], places[run, number, 1:] = (
                kind.lowest(values[:1])[0],
                kind.highest(values[-1:])[0],
            )
            places[run, number, 1 : len(edges) + 1] = edges
            bands, mean_rank = number_bands(counts, rows, LEVEL)
            low[run, number, : len(edges)], high[run, number, : len(edges)] = bands
            if len(edges) > 1:
                low[run, number, EDGES], high[run, number, EDGES] = mean_rank
    categories = _categories(rng.multinomial(rows, CATEGORIES, (runs, CATEGORICAL)), rows)
    bounds = [
        np.concatenate([of_numbers.reshape(runs, -1), of_categories.reshape(runs, -1)], axis=1)
        for of_numbers, of_categories in zip((low, high), categories, strict=True)
    ]
    return Baselines(places, Streams(*bounds, COLUMN, COLUMNS))


def _edges(values: Floats, kind: Number) -> tuple[Floats, npt.NDArray[np.int64]]:
    """A column's edges as normal numbers, and how many of its sorted values are at most each."""
    rows = len(values)
    deciles = np.unique(values[decile_ranks(rows) - 1])
    below, at_most = np.searchsorted(values, deciles, "left"), np.searchsorted(values, deciles, "right")
    heavy = at_most - below >= MASS * rows
    counts = np.concatenate([at_most, below[heavy]])
    edges = np.concatenate([kind.highest(deciles), kind.lowest(deciles[heavy])])
    counts, first = np.unique(counts, return_index=True)
    inner = (counts > 0) & (counts < rows)
    return edges[first][inner][:EDGES], counts[inner][:EDGES]


def _categories(counts: npt.NDArray[np.int64], rows: int) -> Band:
    shape = (*counts.shape[:-1], 1)
    unseen, missing = unseen_band(np.zeros(shape), rows // 2, LEVEL), np.zeros(shape)
    bands, _ = category_bands(counts, missing[..., 0], Band(unseen.low[..., 0], unseen.high[..., 0]), rows, LEVEL)
    rare = share_band(missing, rows, LEVEL, RARE_TOLERANCE)
    low, high = (np.concatenate(parts, axis=-1) for parts in zip(bands, unseen, rare, strict=True))
    return Band(low, high)
