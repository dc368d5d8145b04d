"""Bounds between which a stream's true share lies, from the counts of a baseline: what drift is measured against.

The baseline is a sample, so a share of live traffic may differ from the baseline's without any drift. A band holds
what the sample leaves open, once and for all, and at least a tolerance: a monitor that looks every hour pays for
the sample's error once, not at every look. All bounds hold for samples of every size and every distribution, ties
and points of mass included, as long as the rows are independent and their order is random. ``level`` is the chance
that one bound of one stream is missed; `level_of` divides the whole budget among the streams, and what a function
says is missed by a column adds to at most ``level`` for each side of each of its streams.

Sources: Clopper, Pearson (1934); Massart (1990), for the constant of Dvoretzky, Kiefer, Wolfowitz; David,
Nagaraja, "Order Statistics" (2003), for order statistics as sums of exponentials.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betainc
from scipy.stats import beta

Floats = npt.NDArray[np.float64]

#: The chance that any bound of a whole baseline is missed.
ALPHA = 0.01
#: Differences that are no drift, in shares: of edges, categories, labels and the mean rank ...
TOLERANCE = 0.02
#: ... and of missing, unseen and refused values, and those outside the baseline's range.
RARE_TOLERANCE = 0.01
_DECILES = 9


class Band(NamedTuple):
    """``low`` and ``high`` [...] bound a share, each in 0 to 1."""

    low: Floats
    high: Floats


def level_of(streams: int, alpha: float = ALPHA) -> float:
    """The level of one bound, where ``streams`` streams have two each and ``alpha`` is the chance of any miss."""
    return alpha / (2 * streams)


def decile_ranks(rows: int) -> npt.NDArray[np.int64]:
    """Ranks [at most 9], from 1, of the values at which a column of ``rows`` values has its edges. With missing
    values sorted last, ``np.sort(values)[ranks - 1]`` are the edges; those that are missing, and repeated ones,
    are dropped. `number_bands` is exact for edges chosen so, and holds for any others."""
    ranks = [number * rows // 10 for number in range(1, _DECILES + 1) if number * rows >= 10]
    return np.unique(np.array(ranks, np.int64))


def share_band(counts: npt.ArrayLike, rows: int, level: float, tolerance: float) -> Band:
    """Bounds [...] of a share that was fixed before the sample was drawn, such as of missing values; ``counts``
    [...] of ``rows`` values showed it. Also of values below the sample's minimum or above its maximum, with a
    count of 0: their share is at most the least, or one less the largest, of ``rows`` uniform numbers."""
    return _at_least(tolerance, counts, rows, _exact(np.asarray(counts, np.float64), rows, level))


def number_bands(counts: npt.ArrayLike, rows: int, level: float) -> tuple[Band, Band]:
    """Bounds of the shares of values at most each edge [..., edges], and of the mean rank [...], which is the mean
    of the edges' indicators; ``counts`` [..., edges] of ``rows`` values, missing ones included, lie at or below.

    Edges are chosen from the sample, so a count is no binomial number. Where an edge lies between the k-th and the
    next value, its true share lies between the k-th and the next of ``rows`` uniform numbers, whatever the
    distribution (its quantile function maps them to the values). For the ranks k of `decile_ranks`, which are
    known beforehand, these are beta distributed, and the exact bounds of a share hold. Ties move edges to other
    ranks: there the bound of Massart holds for all edges at once, and so does a neighbouring rank's, because
    shares rise with edges. Each of the two ways may miss with half the level.

    The mean rank lies between the means of these uniform numbers, of which `_mean_rank_margins` bounds the tails;
    it also moves by no more than the bound of Massart.
    """
    below = np.asarray(counts, np.float64)
    edges = below.shape[-1]
    anywhere = float(np.sqrt(np.log(2 / ((edges + 1) * level)) / (2 * rows)))
    low, high = below / rows - anywhere, below / rows + anywhere
    ranks = decile_ranks(rows)
    exact = _exact(ranks.astype(np.float64), rows, level / 2)
    for rank, least, most in zip(ranks, exact.low, exact.high, strict=True):
        low = np.maximum(low, np.where(below >= rank, least, 0.0))
        high = np.minimum(high, np.where(below <= rank, most, 1.0))
    mean = below.mean(axis=-1) / rows if edges else np.zeros(below.shape[:-1])
    down = up = np.full(mean.shape, anywhere)
    if 0 < edges <= len(ranks):
        known = (below == ranks[:edges]).all(axis=-1)
        share = 1.0 if edges == _DECILES else 1 / (_DECILES - 1)
        margins = _mean_rank_margins(tuple(int(rank) for rank in ranks[:edges]), rows, level / 4 * share)
        down, up = (np.where(known, np.minimum(margin, anywhere), anywhere) for margin in margins)
    mean_rank = Band(np.clip(mean - down, 0.0, 1.0), np.clip(mean + up, 0.0, 1.0))
    return (
        _at_least(TOLERANCE, below, rows, Band(low, high)),
        _at_least(TOLERANCE, mean * rows, rows, mean_rank),
    )


def category_bands(
    counts: npt.ArrayLike, missing: npt.ArrayLike, unseen: Band, rows: int, level: float
) -> tuple[Band, Band]:
    """Bounds of the shares of a column's most frequent categories [..., categories], and of all others that the
    sample has [...]; ``counts`` [..., categories] of ``rows`` values are in the former, and ``missing`` [...] are
    in none. ``unseen`` is `unseen_band` of the column.

    Which categories are the most frequent is seen in the sample, so those with lucky counts are chosen. The level
    of a category is therefore proportional to its true share: over all categories that exist, chosen or not,
    levels add to the column's. By the same weights of a multinomial draw, the level of a *set* of categories is
    the chance of drawing just these, one after another: over all sets it adds to at most the column's, and bounds
    the rest, unseen ones included.
    """
    chosen = np.asarray(counts, np.float64)
    number = chosen.shape[-1]
    budget = number * level
    low = _bisect(lambda p: _at_least_chance(chosen, rows, p) - budget * p, chosen / rows, falling=False)
    high = _bisect(lambda p: _at_most_chance(chosen, rows, p) - budget * p, chosen / rows, falling=True)
    together = chosen.sum(axis=-1) + np.asarray(missing)
    draws = np.log(np.arange(1, number + 1)).sum() + np.log(np.maximum(low, 1e-12)).sum(axis=-1)
    named = _exact(together, rows, level * np.exp(np.minimum(draws, 0.0)))
    rest = Band(1 - named.high - unseen.high, 1 - named.low)
    return (
        _at_least(TOLERANCE, chosen, rows, Band(low, high)),
        _at_least(TOLERANCE, rows - together, rows, rest),
    )


def unseen_band(unseen_later: npt.ArrayLike, rows_later: int, level: float) -> Band:
    """Bounds [...] of the share of categories that the sample lacks. A count of 0 would be no evidence: the sample
    has seen its own categories. So ``unseen_later`` [...] of its last ``rows_later`` rows, half of them, have a
    category that the first half lacks, and what the whole sample lacks is rarer than what its first half does."""
    exact = _exact(np.asarray(unseen_later, np.float64), rows_later, level)
    return Band(np.zeros_like(exact.high), np.maximum(exact.high, RARE_TOLERANCE))


def _exact(counts: Floats, rows: int, level: float | Floats) -> Band:
    """Clopper and Pearson's bounds."""
    low = np.where(counts > 0, beta.ppf(level, np.maximum(counts, 1), rows - counts + 1), 0.0)
    high = np.where(counts < rows, beta.isf(level, counts + 1, np.maximum(rows - counts, 1)), 1.0)
    return Band(low, high)


def _at_least(tolerance: float, counts: npt.ArrayLike, rows: int, band: Band) -> Band:
    share = np.asarray(counts, np.float64) / rows
    return Band(
        np.clip(np.minimum(band.low, share - tolerance), 0.0, 1.0),
        np.clip(np.maximum(band.high, share + tolerance), 0.0, 1.0),
    )


def _at_least_chance(counts: Floats, rows: int, share: Floats) -> Floats:
    """P(N >= counts), N binomial."""
    tail = betainc(np.maximum(counts, 1), rows - counts + 1, share)
    return np.asarray(np.where(counts > 0, tail, 1.0))


def _at_most_chance(counts: Floats, rows: int, share: Floats) -> Floats:
    """P(N <= counts), N binomial."""
    tail = betainc(np.maximum(rows - counts, 1), counts + 1, 1 - share)
    return np.asarray(np.where(counts < rows, tail, 1.0))


def _bisect(excess: Callable[[Floats], Floats], shares: Floats, *, falling: bool) -> Floats:
    """Where ``excess`` changes its sign below the ``shares`` or, ``falling``, above: the safe end of 60
    halvings."""
    inner, outer = shares, np.ones_like(shares) if falling else np.zeros_like(shares)
    for _ in range(60):
        middle = (inner + outer) / 2
        possible = excess(middle) > 0
        inner, outer = np.where(possible, middle, inner), np.where(possible, outer, middle)
    return outer


@lru_cache(maxsize=64)
def _mean_rank_margins(ranks: tuple[int, ...], rows: int, level: float) -> tuple[float, float]:
    """How far the mean rank may lie below and above its count, each missed with chance at most ``level``.

    The i-th of n uniform numbers is (E_1 + ... + E_i) / (E_1 + ... + E_(n+1)), E exponential. A mean of several is
    sum w_i E_i / sum E_i, w_i being the share of edges of rank i or more, so that it exceeds x if and only if
    sum (w_i - x) E_i > 0. By Markov's inequality that has at most the chance prod 1 / (1 - t (w_i - x)), for every
    t.
    """
    mean = sum(ranks) / len(ranks) / rows

    def margin(sign: int, at: tuple[int, ...]) -> float:
        times = np.diff(np.array([0, *at, rows + 1], np.float64))
        weights = np.arange(len(at), -1, -1) / len(at)
        center = float((times * weights).sum() / (rows + 1))
        inner, outer = center, 1.0 if sign > 0 else 0.0
        for _ in range(50):
            middle = (inner + outer) / 2
            possible = _log_tail(times, sign * (weights - middle)) > np.log(level)
            inner, outer = (middle, outer) if possible else (inner, middle)
        return sign * (outer - mean)

    return margin(-1, ranks), margin(1, tuple(rank + 1 for rank in ranks))


def _log_tail(times: Floats, steps: Floats) -> float:
    """Markov's bound on the logarithm of P(sum steps_g G_g > 0), G_g gamma distributed with shape ``times``."""
    least, most = 0.0, 1 / float(steps.max())
    for _ in range(60):
        t = (least + most) / 2
        rising = (times * steps / (1 - t * steps)).sum() > 0
        least, most = (least, t) if rising else (t, most)
    return -float((times * np.log1p(-least * steps)).sum())
