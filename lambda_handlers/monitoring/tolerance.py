"""How far an hour's shares may move without drift: supposed at first, then learned from two weeks of live traffic.

At first a band is as wide as a season of a quarter of a standard deviation makes it: 0.1 for a share of one half,
less for rarer ones. What is learned is the largest deviation of an hour's share from the middle of its band, less
the deviation that its own blocks explain as noise, with a factor for what two weeks have not shown. A day is
learned once the day after it passed without an alarm: drift that is being found is not to be learned.
"""

from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.monitoring.streams import Counts, Floats, Streams

#: Standard deviations of a normal number, by which hours may differ before anything is learned.
SUPPOSED_SHIFT = 0.25
DAYS = 14
FACTOR = 1.25
#: Standard errors of an hour's share that are taken for noise.
NOISE = 1.0
_DECIMALS = 4


def supposed(streams: Streams) -> Streams:
    """Bands as wide as `SUPPOSED_SHIFT` makes them, and at least as wide as they are."""
    normal, middle = NormalDist(), (streams.low + streams.high) / 2
    places = np.array([normal.inv_cdf(min(max(share, 1e-9), 1 - 1e-9)) for share in middle.ravel().tolist()])

    def moved(by: float) -> Floats:
        return np.array([normal.cdf(place + by) for place in places.tolist()]).reshape(middle.shape)

    return Streams(
        np.minimum(streams.low, moved(-SUPPOSED_SHIFT)),
        np.maximum(streams.high, moved(SUPPOSED_SHIFT)),
        streams.column,
        streams.columns,
    )


class Learning:
    """``days`` [...]: how many days were learned; when they are `DAYS`, the tolerance is known."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._middle = (streams.low + streams.high) / 2
        self.days: npt.NDArray[np.int64] = np.zeros(self._middle.shape[:-1], np.int64)
        #: Deviations above and below [2, ..., streams] of the learned days, the day before, and this day.
        self._learned, self._yesterday, self._today = (np.zeros((2, *self._middle.shape)) for _ in range(3))
        self._days_seen: npt.NDArray[np.int64] = np.zeros_like(self.days)

    @property
    def done(self) -> npt.NDArray[np.bool_]:
        """[...]: whether the tolerance is known."""
        return np.asarray(self.days >= DAYS)

    def add(self, counts: Counts, totals: Counts) -> None:
        """See an hour's blocks [..., blocks, streams]."""
        whole = np.maximum(totals.sum(axis=-2, dtype=np.float64), 1)
        share = counts.sum(axis=-2, dtype=np.float64) / whole
        blocks = (totals > 0).sum(axis=-2)
        apart = ((counts - totals * share[..., None, :]) ** 2).sum(axis=-2)
        noise = np.sqrt(apart * np.where(blocks > 1, blocks / np.maximum(blocks - 1, 1), 0)) / whole
        above = share - self._middle - NOISE * noise
        below = self._middle - share - NOISE * noise
        seen = np.where(blocks > 0, np.stack([above, below]), 0.0)
        self._today = np.maximum(self._today, np.ceil(seen * 10**_DECIMALS) / 10**_DECIMALS)

    def end_day(self, quiet: npt.NDArray[np.bool_]) -> None:
        """A day with rows has ended, without an alarm where ``quiet`` [...]."""
        keep = quiet & ~self.done
        more = keep & (self._days_seen > 0)
        self._learned = np.where(more[..., None], np.maximum(self._learned, self._yesterday), self._learned)
        self.days = self.days + more
        self._yesterday = self._today
        self._days_seen = np.where(quiet, 1, 0)
        self._today = np.zeros_like(self._today)

    def bands(self) -> Streams:
        """Bands as learned so far, and at least as wide as without."""
        above, below = FACTOR * self._learned
        return Streams(
            np.maximum(np.minimum(self._streams.low, self._middle - below), 0.0),
            np.minimum(np.maximum(self._streams.high, self._middle + above), 1.0),
            self._streams.column,
            self._streams.columns,
        )

    def to_json(self) -> dict[str, Any]:
        shares = {"learned": self._learned}
        if not self.done.all():
            shares |= {"yesterday": self._yesterday, "today": self._today}
        return {
            "days": int(self.days),
            "days_seen": int(self._days_seen),
            **{name: np.round(values, _DECIMALS).tolist() for name, values in shares.items()},
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `to_json` wrote. Raises ValueError if it is of other streams."""
        self.days, self._days_seen = np.array(data["days"]), np.array(data["days_seen"])
        nothing = np.zeros((2, *self._middle.shape)).tolist()
        learned, yesterday, today = (
            np.array(data.get(name, nothing), np.float64) for name in ("learned", "yesterday", "today")
        )
        if not learned.shape == yesterday.shape == today.shape == (2, *self._middle.shape):
            raise ValueError(f"learned deviations {learned.shape} of {self._middle.shape} streams")
        self._learned, self._yesterday, self._today = learned, yesterday, today
