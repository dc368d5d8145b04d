"""Evidence of drift that may be looked at for ever: Shiryaev-Roberts e-detectors of all bets, averaged.

At each look a capital of 1 enters each bet, and all capital is multiplied by the look's pay-out: R becomes (R + 1)
e. While nothing drifts, R less the number of looks never grows on average. A column's evidence is the mean of its
bets' R, the total is the mean over columns, and the same holds for them. So the chance that the total ever reaches
a threshold A within T looks is at most T / A, however the columns depend on each other and whenever somebody
looks, and a false alarm takes at least A looks on average.

Sources: Shin, Ramdas, Rinaldo, "E-detectors" (2024); Dandapanthula, Ramdas, "Multiple testing in multi-stream
sequential change detection" (2025), for `named_columns`.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.monitoring.bets import Bets
from serinus.lambda_handlers.monitoring.streams import Floats, Streams

#: At looks, a column's evidence is cut at this multiple (in nats) of what would alarm alone, so that an alarm ends
#: soon after the drift does. Cutting only lowers evidence; between looks it would undo what a later hour owes.
BEYOND_ALARM = 3.0
_FAR = 100.0
#: Kept in the state to so many decimals, rounded down: rounding adds no evidence.
_DECIMALS = 2


class Evidence(NamedTuple):
    """What a look shows, logarithms to base e. ``total`` [...] alarms at ``threshold``; ``by_column``
    [..., columns]; ``named`` [..., columns]; ``stream`` [..., columns]: the place of each column's stream with the
    most evidence; ``suspect`` [...]: the place of the column with the most."""

    total: Floats
    threshold: float
    by_column: Floats
    named: npt.NDArray[np.bool_]
    stream: npt.NDArray[np.int64]
    suspect: npt.NDArray[np.int64]

    @property
    def alarm(self) -> npt.NDArray[np.bool_]:
        """[...]: whether the total reaches the threshold. It may where no column is named: several may be suspect,
        each without proof."""
        return np.asarray(self.total >= self.threshold)

    def to_json(self) -> dict[str, Any]:
        """That of one endpoint, as plain data."""
        by_column = [max(value, _NOTHING) for value in self.by_column.tolist()]
        return {"total": max(float(self.total), _NOTHING), "by_column": by_column, "stream": self.stream.tolist()}

    @classmethod
    def from_json(cls, data: dict[str, Any], threshold: float) -> "Evidence":
        """Read `to_json`'s data."""
        values = np.array(data["by_column"], np.float64)
        by_column = np.where(values <= _NOTHING, -np.inf, values)
        total = np.array(data["total"] if data["total"] > _NOTHING else -np.inf)
        named = named_columns(by_column, threshold)
        return cls(total, threshold, by_column, named, np.array(data["stream"]), by_column.argmax(axis=-1))


class Detector:
    """Of the bets that are ``possible`` [..., places, bets] at any look. ``log_r`` [..., places, bets] are the
    logarithms of R, -inf where no bet is possible. Each column has half of its evidence in the streams' own bets
    and half in joint ones, where it has both."""

    def __init__(self, bets: Bets, streams: Streams, threshold: float) -> None:
        self.threshold = float(np.log(threshold))
        self.possible = bets.possible
        self._column = bets.column
        self._streams = len(streams.column)
        columns = np.arange(len(streams.columns))
        self._member = (self._column[:, None] == columns).astype(np.float64)
        self._cap = self.threshold + float(np.log(len(columns))) + BEYOND_ALARM
        own, joint = (self._even(part) for part in np.split(np.arange(len(self._column)), [self._streams]))
        both = np.where((own @ self._member > 0) & (joint @ self._member > 0), 0.5, 1.0)[..., self._column]
        self._shares = ((own + joint) * both)[..., None] * bets.possible
        self.log_r: Floats = np.full(bets.possible.shape, -np.inf)

    def _even(self, places: npt.NDArray[np.int64]) -> Floats:
        """[..., places]: one divided by the number of possible bets of their column in these places, 0 in
        others."""
        of_place = np.zeros(self.possible.shape[:-1])
        of_place[..., places] = self.possible[..., places, :].sum(axis=-1)
        of_column = (of_place @ self._member)[..., self._column]
        return np.where(of_place > 0, 1 / np.maximum(of_column, 1), 0.0)

    def enter(self) -> None:
        """A look begins: a capital of 1 enters each bet."""
        self.log_r = np.where(self.possible, np.logaddexp(self.log_r, 0.0), -np.inf)

    def add(self, log_payouts: Floats) -> None:
        """Multiply by pay-outs [..., places, bets]."""
        self.log_r = self.log_r + log_payouts

    def look(self) -> Evidence:
        """The evidence at the end of a look."""
        # A day of missing values may gain a thousand nats, beside which other columns' evidence would vanish.
        self.log_r = np.minimum(self.log_r, self._cap + _FAR)
        top = np.maximum(self.log_r.max(axis=(-2, -1), keepdims=True), 0.0)
        with np.errstate(divide="ignore"):
            by_place = np.log((np.exp(self.log_r - top) * self._shares).sum(axis=-1)) + top[..., 0]
            logs = np.log(np.exp(by_place - top[..., 0]) @ self._member) + top[..., 0]
        beyond = np.maximum(logs - self._cap, 0.0)
        self.log_r = self.log_r - beyond[..., self._column][..., None]
        logs, by_place = logs - beyond, by_place - beyond[..., self._column]
        with np.errstate(divide="ignore"):
            total = np.log(np.exp(logs).mean(axis=-1))
        logs, total = (_floor(values) for values in (logs, total))
        return Evidence(
            total=total,
            threshold=self.threshold,
            by_column=logs,
            named=named_columns(logs, self.threshold),
            stream=np.where(self._member > 0, by_place[..., None], -np.inf)[..., : self._streams, :].argmax(
                axis=-2
            ),
            suspect=logs.argmax(axis=-1),
        )

    def round(self) -> None:
        """Reduce the evidence to what the state keeps."""
        self.log_r = _floor(self.log_r)

    def begin_anew(self) -> None:
        """Forget all evidence."""
        self.log_r = np.full(self.log_r.shape, -np.inf)

    def to_json(self) -> list[float]:
        """The evidence of the possible bets of one endpoint."""
        if self.possible.ndim != 2:
            raise ValueError("only the state of one endpoint can be written")
        return [round(value, _DECIMALS) if value > -np.inf else _NOTHING for value in self._possible()]

    def restore(self, data: Any) -> None:
        """Take over what `to_json` wrote. Raises ValueError if it is of other bets."""
        values = np.array(data, np.float64)
        if values.shape != (int(self.possible.sum()),):
            raise ValueError(f"{values.size} values of evidence for {int(self.possible.sum())} bets")
        self.log_r = np.full(self.possible.shape, -np.inf)
        self.log_r[self.possible] = np.where(values <= _NOTHING, -np.inf, values)

    def _possible(self) -> list[float]:
        values: list[float] = self.log_r[self.possible].tolist()
        return values


#: JSON has no infinity.
_NOTHING = -1e9


def _floor(values: Floats) -> Floats:
    # What is rounded already stays: its product may lie just below a whole number.
    return np.asarray(np.floor(values * 10**_DECIMALS + 1e-6) / 10**_DECIMALS)


def named_columns(by_column: Floats, threshold: float) -> npt.NDArray[np.bool_]:
    """[..., columns]: the k columns with the most evidence where the least of them reaches A K / k, for the
    largest such k; ``by_column`` and ``threshold`` (A) are logarithms, K is the number of columns (e-d-BH)."""
    number = by_column.shape[-1]
    ranked = -np.sort(-by_column, axis=-1)
    needed = threshold + np.log(number / np.arange(1, number + 1))
    enough = (ranked >= needed) * np.arange(1, number + 1)
    most = enough.max(axis=-1)
    least = np.where(most > 0, threshold + np.log(number / np.maximum(most, 1)), np.inf)
    return np.asarray(by_column >= least[..., None])
