"""Looks each hour, with bands that are as wide as hours differ without drift: finds what is large within hours."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.monitoring.bets import Bets
from serinus.lambda_handlers.monitoring.cycle import Cycle
from serinus.lambda_handlers.monitoring.detector import Detector, Evidence
from serinus.lambda_handlers.monitoring.streams import Counts, Streams
from serinus.lambda_handlers.monitoring.tolerance import Learning, supposed

DAY_HOURS = 24


class FastClock:
    """Of the streams' supposed tolerance, then of the learned one: its evidence begins anew with it."""

    def __init__(self, streams: Streams, bets: Callable[[Streams], Bets], threshold: float) -> None:
        self._bets, self._threshold = bets, threshold
        self.learning = Learning(streams)
        self._day = Cycle(DAY_HOURS)
        self._quiet: npt.NDArray[np.bool_] = np.ones(streams.low.shape[:-1], bool)
        self.bands = supposed(streams)
        self.detector = Detector(self.bands, bets(self.bands), threshold)

    def look(
        self, hour: int, counts: Counts, totals: Counts, usual: float, slow_alarm: npt.NDArray[np.bool_]
    ) -> Evidence | None:
        """The evidence with an hour's blocks [..., blocks, streams]; None without rows, or none this hour.
        ``slow_alarm`` [...]: whether the slow clock's alarm stands, in which case nothing is learned."""
        if self._day.number_at(hour) > self._day.number:
            self._end_day()
        evidence = None
        if totals.size and totals.any():
            if not self._day.hours_with_rows:
                self._day.begin(hour)
            self._day.hours_with_rows += 1
            self.detector.enter()
            self.detector.add(self.detector.bets.log_payouts(counts, totals, usual))
            evidence = self.detector.look()
            self._quiet = self._quiet & ~evidence.alarm & ~slow_alarm
            self.learning.add(counts, totals)
        self.detector.round()
        return evidence

    def _end_day(self) -> None:
        if not self._day.hours_with_rows:
            return
        self._day.end()
        before = self.learning.done
        self.learning.end_day(self._quiet)
        self._quiet = np.ones_like(self._quiet)
        self._take_over(self.learning.done & ~before)

    def _take_over(self, new: npt.NDArray[np.bool_]) -> None:
        """Where ``new`` [...], the learned tolerance holds from now on."""
        if not new.any():
            return
        learned, log_r = self.learning.bands(), self.detector.log_r
        self.bands = Streams(
            np.where(new[..., None], learned.low, self.bands.low),
            np.where(new[..., None], learned.high, self.bands.high),
            learned.column,
            learned.columns,
        )
        self.detector = Detector(self.bands, self._bets(self.bands), self._threshold)
        self.detector.log_r = np.where(new[..., None, None], -np.inf, log_r)

    def to_json(self) -> dict[str, Any]:
        return {
            "day": self._day.to_json(),
            "quiet": bool(self._quiet),
            "learning": self.learning.to_json(),
            "log_r": self.detector.to_json(),
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `to_json` wrote. Raises ValueError if it is of other streams."""
        self._day.restore(data["day"])
        self._quiet = np.array(data["quiet"])
        self.learning.restore(data["learning"])
        self._take_over(self.learning.done)
        self.detector.restore(data["log_r"])
