"""How far an hour's shares may move without drift: supposed at first, then learned from two weeks of live traffic.

At first a band is as wide as a season of a quarter of a standard deviation makes it: 0.1 for a share of one half,
less for rarer ones. Two weeks in a row without an alarm teach what each hour of the day is like, and how far an
hour was from what the days before it had shown. Of the largest such deviation, the part counts that the hour's own
blocks do not explain as noise, with a factor for what two weeks have not shown. One more day must then pass
without an alarm, so that no drift is learned that was about to be found.
"""

from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.monitoring.bets import NO_ROOM
from serinus.lambda_handlers.monitoring.streams import Counts, Streams

#: Standard deviations of a normal number, by which hours may differ before anything is learned.
SUPPOSED_SHIFT = 0.25
DAYS = 14
DAY_HOURS = 24
FACTOR = 1.25
#: Shares that an hour may differ from what was learned, however steady that was.
LEAST = 0.02
_DECIMALS = 4
_SQUARES_DECIMALS = 7
#: Normal numbers, and the share of normal numbers below each.
_NORMAL = np.linspace(-6, 6, 2401)
_BELOW = np.array([NormalDist().cdf(number) for number in _NORMAL.tolist()])


def supposed(streams: Streams) -> Streams:
    """Bands as wide as `SUPPOSED_SHIFT` makes them, and at least as wide as they are."""
    middle = np.interp((streams.low + streams.high) / 2, _BELOW, _NORMAL)
    low, high = (np.interp(middle + by, _NORMAL, _BELOW) for by in (-SUPPOSED_SHIFT, SUPPOSED_SHIFT))
    return Streams(np.minimum(streams.low, low), np.maximum(streams.high, high), streams.column, streams.columns)


class Learning:
    """``days`` [...]: how many days in a row were learned."""

    def __init__(self, streams: Streams) -> None:
        self._streams, self._supposed = streams, supposed(streams)
        self.days: npt.NDArray[np.int64] = np.zeros(streams.low.shape[:-1], np.int64)
        #: [24, ..., streams], and how many days each hour had rows [24, ..., 1].
        self._mean = np.zeros((DAY_HOURS, *streams.low.shape))
        self._seen = np.zeros((DAY_HOURS, *streams.low.shape[:-1], 1), np.int64)
        #: [..., streams]: the largest deviation; sums of squares of deviations, and of those that noise explains.
        self._largest, self._squares, self._noise = (np.zeros(streams.low.shape) for _ in range(3))

    @property
    def done(self) -> npt.NDArray[np.bool_]:
        """[...]: whether the tolerance is known."""
        return np.asarray(self.days > DAYS)

    def add(self, hour: int, counts: Counts, totals: Counts) -> None:
        """See an hour's blocks [..., blocks, streams], of an hour since 1970."""
        whole = np.maximum(totals.sum(axis=-2, dtype=np.float64), 1)
        share = counts.sum(axis=-2, dtype=np.float64) / whole
        blocks = (totals > 0).sum(axis=-2)
        apart = ((counts - totals * share[..., None, :]) ** 2).sum(axis=-2)
        noise = apart * np.where(blocks > 1, blocks / np.maximum(blocks - 1, 1), 0) / whole**2
        mean, seen = self._mean[hour % DAY_HOURS], self._seen[hour % DAY_HOURS]
        # An hour of which a column has no values, such as one of refused requests alone, shows too little.
        new = (blocks > 0).all(axis=-1, keepdims=True) & (self.days < DAYS)[..., None]
        # A mean of n days adds 1/n of a day's variance to a deviation.
        compared = np.where(new, seen / (seen + 1), 0.0)
        square = (share - mean) ** 2 * compared
        self._largest = np.maximum(self._largest, np.ceil(np.sqrt(square) * 10**_DECIMALS - 1e-6) / 10**_DECIMALS)
        self._squares = np.round(self._squares + square, _SQUARES_DECIMALS)
        self._noise = np.round(self._noise + np.where(compared > 0, noise, 0.0), _SQUARES_DECIMALS)
        self._mean[hour % DAY_HOURS] = np.round(np.where(new, mean + (share - mean) / (seen + 1), mean), _DECIMALS)
        self._seen[hour % DAY_HOURS] = seen + new

    def end_day(self, quiet: npt.NDArray[np.bool_]) -> None:
        """A day with rows has ended, without an alarm where ``quiet`` [...]; elsewhere learning begins anew."""
        again = ~quiet & ~self.done
        self.days = np.where(again, 0, self.days + ~self.done)
        for values in (self._mean, self._seen, self._largest, self._squares, self._noise):
            values[...] = np.where(again[..., None], 0, values)

    def bands(self, hour: int) -> Streams:
        """The bands of an hour since 1970: the supposed ones where nothing is known of its hour of the day."""
        mean, seen = self._mean[hour % DAY_HOURS], self._seen[hour % DAY_HOURS]
        real = 1 - np.minimum(self._noise / np.maximum(self._squares, 1e-12), 1.0)
        number = np.maximum(self._seen.sum(axis=0) - (self._seen > 0).sum(axis=0), 1)
        of_mean = np.sqrt(self._noise / number / np.maximum(seen, 1))
        least = np.minimum((self._streams.high - self._streams.low) / 2, LEAST)
        tolerance = np.maximum(FACTOR * real * self._largest, least) + of_mean
        rare, usual = self._streams.low <= NO_ROOM, self._streams.high >= 1 - NO_ROOM
        low = np.where(usual, np.minimum(mean - tolerance, self._streams.low), mean - tolerance)
        high = np.where(rare, np.maximum(mean + tolerance, self._streams.high), mean + tolerance)
        known = self.done[..., None] & (seen > 0)
        return Streams(
            np.where(known, np.clip(low, 0.0, 1.0), self._supposed.low),
            np.where(known, np.clip(high, 0.0, 1.0), self._supposed.high),
            self._streams.column,
            self._streams.columns,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "days": int(self.days),
            "seen": self._seen[..., 0].tolist(),
            "mean": np.rint(self._mean * 10**_DECIMALS).astype(int).tolist(),
            "largest": self._largest.tolist(),
            "squares": self._squares.tolist(),
            "noise": self._noise.tolist(),
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `to_json` wrote."""
        self.days = np.array(data["days"])
        self._seen = np.array(data["seen"])[..., None]
        self._mean = np.round(np.array(data["mean"]) / 10**_DECIMALS, _DECIMALS)
        self._largest, self._squares, self._noise = (
            np.array(data[name], np.float64) for name in ("largest", "squares", "noise")
        )
