"""Estimates Shapley values of any function of the features by permutations, with standard errors.

Permutations come in antithetic pairs, each with its reverse and one background row for both. The spread of pairs
is the error's, or more, as background rows are dealt without return. Source: Mitchell et al., JMLR 23 (2022).
"""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

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
    random, count = np.random.default_rng(seed), len(row)
    # Background rows are dealt, not drawn: each comes once before any comes twice.
    dealt = np.concatenate([random.permutation(len(background)) for _ in range(-(-pairs // len(background)))])
    orders = np.array([random.permutation(count) for _ in range(pairs)])
    both = np.stack([orders, orders[:, ::-1]], axis=1)
    place = np.argsort(both, axis=2)
    # Step k of an order: the first k of its features are the row's, the others the background row's.
    from_row = place[:, :, None, :] < np.arange(count + 1)[:, None]
    mixed = np.where(from_row, row, background[dealt[:pairs]][:, None, None, :])
    outputs = np.asarray(run(mixed.reshape(-1, count)), dtype=np.float64)
    outputs = outputs.reshape(pairs, 2, count + 1, -1)
    gains = np.diff(outputs, axis=2)
    by_pair = np.take_along_axis(gains, place[..., None], axis=2).mean(axis=1)
    values = by_pair.mean(axis=0).T
    errors = by_pair.std(axis=0, ddof=1).T / np.sqrt(pairs)
    return Sampled(values, errors, outputs[0, 0, -1] - values.sum(axis=1))
