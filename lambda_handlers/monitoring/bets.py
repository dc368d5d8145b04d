"""What a look's counts pay: bets against a share's lying in its band, which on average pay nothing while it does.

A bet supposes that a share lies above its band, or below. Its pay-out e is never negative, and the mean of e is at
most 1 for every share within the band; against a share beyond the edge it grows. `CountBets` are likelihood ratios
of binomial counts at some odds beyond the edge; they suppose that rows are independent, and pay the most.
`BlockBets` stake part of the capital on the mean of each block of rows; they hold however rows of a block depend
on each other.

Both are products of factors that are linear in the expected share p_i of a row or block. A product of such factors
is at most their mean to the same power (of the arithmetic and the geometric mean). So a bet's mean is at most 1
also where shares move within a look, such as over the hours of a day, as long as their mean, weighted by rows,
lies in the band. For a mean of indicators, a bounded number, a likelihood ratio is convex and pays at most what an
indicator of the same mean would (Hoeffding, 1963).

Source: Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting" (2024).
"""

from typing import Protocol

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.monitoring.streams import Counts, Floats, Streams

#: How many times larger, or smaller, than at the band's edge the odds are that count bets suppose.
ODDS = np.array([1.15, 1.5, 2.5, 6.0])
#: The largest parts of the capital that block bets may lose in one block.
STAKES = np.array([0.2, 0.5, 0.9])
#: Edges so near to 0 or 1 leave no room for a bet beyond them: a single row would decide.
NO_ROOM = 0.001


class Bets(Protocol):
    """``possible`` [..., places, bets]: bets that are made, first those above the bands, then those below; the
    first places are the streams, others are joint bets. ``column`` [places] owns them."""

    possible: npt.NDArray[np.bool_]
    column: npt.NDArray[np.int64]

    def log_payouts(self, counts: Counts, totals: Counts, usual: float | Floats) -> Floats:
        """Logarithms of the pay-outs [..., places, bets] of blocks [..., blocks, streams]: of ``totals`` values,
        ``counts`` belong to the stream. A block of ``usual`` values or more has full weight, known beforehand."""
        ...


class CountBets:
    """For rows that are independent."""

    def __init__(self, streams: Streams) -> None:
        self.column = streams.column
        self.possible = np.repeat(_sides(streams), len(ODDS), axis=-1)
        low, high = (np.clip(edge, NO_ROOM, 1 - NO_ROOM)[..., None] for edge in (streams.low, streams.high))
        above, below = high / (1 - high) * ODDS, low / (1 - low) / ODDS
        supposed = np.concatenate([above / (1 + above), below / (1 + below)], axis=-1)
        edge = np.concatenate([np.broadcast_to(high, above.shape), np.broadcast_to(low, below.shape)], axis=-1)
        self._hit, self._miss = np.log(supposed / edge), np.log((1 - supposed) / (1 - edge))

    def log_payouts(self, counts: Counts, totals: Counts, usual: float | Floats) -> Floats:  # noqa: ARG002
        """As `Bets` has it; ``usual`` does not matter, because each row is a bet of its own."""
        hits = counts.sum(axis=-2, dtype=np.float64)[..., None]
        misses = totals.sum(axis=-2, dtype=np.float64)[..., None] - hits
        return np.where(self.possible, hits * self._hit + misses * self._miss, 0.0)


class BlockBets:
    """For rows that may depend on each other within a block.

    Besides a stream's own there are joint bets of a column, on all its shares' lying above their bands at once, or
    below, as those of a number's edges do after a shift: each stream gets a part of the stake, in proportion to
    what a deviation of its own size pays. They are few, so that each holds more of the column's capital.
    """

    def __init__(self, streams: Streams) -> None:
        places = np.arange(len(streams.columns))
        self.column = np.concatenate([streams.column, places])
        self._member = (streams.column[:, None] == places).astype(np.float64)
        low, high = (np.clip(edge, NO_ROOM, 1 - NO_ROOM) for edge in (streams.low, streams.high))
        sides = _sides(streams)
        both = sides.all(axis=-1)
        parts = [self._parts(np.where(both, odds**0.5, 0.0)) for odds in ((1 - high) / high, low / (1 - low))]
        joint = np.repeat((both @ self._member > 1)[..., None], 2, axis=-1)
        self.possible = np.repeat(np.concatenate([sides, joint], axis=-2), len(STAKES), axis=-1)
        # A share f gains (f - high) / high, or (low - f) / (1 - low): at least -1.
        self._low, self._high, self._above, self._below = (each[..., None, :] for each in (low, high, *parts))

    def _parts(self, weights: Floats) -> Floats:
        """[..., streams] of the stake, 1 in all in each column."""
        whole = (weights @ self._member)[..., self.column[: weights.shape[-1]]]
        return np.asarray(weights / np.where(whole > 0, whole, 1.0))

    def log_payouts(self, counts: Counts, totals: Counts, usual: float | Floats) -> Floats:
        """As `Bets` has it: stakes are proportional to a block's values, so that a look's mean counts every value
        once, whatever the hour's traffic; blocks beyond ``usual`` count no more than it."""
        shares = counts / np.maximum(totals, 1)
        weights = np.minimum(totals / np.maximum(usual, 1), 1.0)
        above, below = (
            weights * (shares - self._high) / self._high,
            weights * (self._low - shares) / (1 - self._low),
        )
        gains = [
            np.concatenate([gain, (parts * gain) @ self._member], axis=-1)
            for gain, parts in ((above, self._above), (below, self._below))
        ]
        products = [np.prod(1 + stake * gain, axis=-2) for gain in gains for stake in STAKES]
        return np.where(self.possible, np.log(np.stack(products, axis=-1)), 0.0)


def _sides(streams: Streams) -> npt.NDArray[np.bool_]:
    """[..., streams, 2]: whether there is room above a band, and below."""
    return np.stack([streams.high < 1 - NO_ROOM, streams.low > NO_ROOM], axis=-1)
