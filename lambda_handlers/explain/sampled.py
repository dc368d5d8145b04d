"""Estimates Shapley values of any function of the features by permutations, with standard errors.

Permutations come in antithetic pairs, each with its reverse and one background row for both. Where all background
rows have the same number of pairs, two or more, the spread within a row is the error's; else the spread of all
pairs is, or more, as background rows are dealt without return. Source: Mitchell et al., JMLR 23 (2022).
"""

import hashlib
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

#: Most cells of rows that are in memory at once; where one pair has more, one pair.
MOST_CELLS = 200_000
Array = npt.NDArray[Any]


class Sampled(NamedTuple):
    """``values`` and ``standard_errors``, [targets, features]; ``base`` [targets], the output less the values."""

    values: Array
    standard_errors: Array
    base: Array


def seed_of(request: bytes) -> int:
    """The same request has the same answer: its hash seeds the draws."""
    return int.from_bytes(hashlib.sha256(request).digest()[:8], "big")


def sample_values(
    run: Callable[[Array], Array], row: Array, background: Array, *, pairs: int, seed: int
) -> Sampled:
    """Estimate from ``pairs`` (2 or more) pairs of permutations. ``run`` computes outputs [rows, targets] of rows
    of features; ``row`` [features] and ``background`` [rows, features] may hold any type, objects too."""
    if pairs < 2:
        raise ValueError(f"pairs is {pairs}; a standard error needs at least 2.")
    source, count = Random(seed), len(row)
    # Background rows are dealt, not drawn: each comes once before any comes twice.
    dealt = _permutations(source, -(-pairs // len(background)), len(background)).ravel()
    orders = _permutations(source, pairs, count)
    both = np.stack([orders, orders[:, ::-1]], axis=1)
    place = np.argsort(both, axis=2)
    share = max(1, MOST_CELLS // (2 * (count + 1) * count))
    parts = [
        _run_orders(run, row, background[dealt[start:end]], place[start:end])
        for start, end in ((start, min(start + share, pairs)) for start in range(0, pairs, share))
    ]
    outputs = np.concatenate(parts)
    gains = np.diff(outputs, axis=2)
    by_pair = np.take_along_axis(gains, place[..., None], axis=2).mean(axis=1)
    values = by_pair.mean(axis=0).T
    errors = _standard_errors(by_pair, dealt[:pairs], len(background)).T
    return Sampled(values, errors, outputs[0, 0, -1] - values.sum(axis=1))


def _permutations(source: Random, rows: int, count: int) -> Array:
    """[rows, count]. Not by `numpy.random`, which the runtime layer leaves out."""
    keys = np.frombuffer(source.randbytes(8 * rows * count), np.uint64)
    order: Array = keys.reshape(rows, count).argsort(axis=1, kind="stable")
    return order


def _run_orders(run: Callable[[Array], Array], row: Array, background: Array, place: Array) -> Array:
    """Outputs [pairs, 2, features + 1, targets] of each step of the orders in ``place`` [pairs, 2, features]."""
    count = len(row)
    # Step k of an order: the first k of its features are the row's, the others the background row's.
    from_row = place[:, :, None, :] < np.arange(count + 1)[:, None]
    mixed = np.where(from_row, row, background[:, None, None, :])
    outputs = np.asarray(run(mixed.reshape(-1, count)), dtype=np.float64)
    return outputs.reshape(len(place), 2, count + 1, -1)


def _standard_errors(by_pair: Array, dealt: Array, background_rows: int) -> Array:
    """Of the mean of ``by_pair`` [pairs, features, targets], whose pairs have the background rows ``dealt``."""
    pairs = len(by_pair)
    of_a_row, left = divmod(pairs, background_rows)
    if left or of_a_row < 2:
        of_all: Array = by_pair.std(axis=0, ddof=1) / np.sqrt(pairs)
        return of_all
    by_row = by_pair[np.argsort(dealt, kind="stable")].reshape(background_rows, of_a_row, *by_pair.shape[1:])
    within: Array = by_row.var(axis=1, ddof=1).mean(axis=0)
    errors: Array = np.sqrt(within / pairs)
    return errors
