"""Looks each hour, with bands that are as wide as hours differ without drift: finds what is large within hours."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.monitoring.bets import Bets
from serinus.lambda_handlers.monitoring.cycle import Cycle
from serinus.lambda_handlers.monitoring.detector import Detector, Evidence
from serinus.lambda_handlers.monitoring.streams import Counts, Floats, Streams
from serinus.lambda_handlers.monitoring.tolerance import DAY_HOURS, Learning, supposed


class FastClock:
    """Of the streams' supposed tolerance, then of the learned one: its evidence begins anew with it."""

    def __init__(self, streams: Streams, bets: Callable[[Streams], Bets], threshold: float) -> None:
        self._bets = bets
        self.learning = Learning(streams)
        self._day = Cycle(DAY_HOURS)
        self._quiet: npt.NDArray[np.bool_] = np.ones(streams.low.shape[:-1], bool)
        self.detector = Detector(bets(supposed(streams)), streams, threshold)

    def look(
        self, hour: int, counts: Counts, totals: Counts, usual: Floats, slow_alarm: npt.NDArray[np.bool_]
    ) -> Evidence | None:
        """The evidence with an hour's blocks [..., blocks, streams]; None without rows. ``slow_alarm`` [...]:
        whether the slow clock's alarm stands, in which case nothing is learned."""
        if self._day.number_at(hour) > self._day.number:
            self._end_day()
        if not (totals.size and totals.any()):
            return None
        if not self._day.hours_with_rows and self._day.has_begun_by(hour):
            self._day.begin(hour)
        self._day.hours_with_rows += 1
        bets = self._bets(self.learning.bands(hour))
        self.detector.enter()
        self.detector.add(bets.log_payouts(counts, totals, usual))
        evidence = self.detector.look()
        self.detector.round()
        self._quiet = self._quiet & ~evidence.alarm & ~slow_alarm
        if not self.learning.done.all():
            self.learning.add(hour, counts, totals)
        return evidence

    def _end_day(self) -> None:
        if not self._day.hours_with_rows:
            return
        self._day.end()
        before = self.learning.done
        self.learning.end_day(self._quiet)
        self._quiet = np.ones_like(self._quiet)
        new = self.learning.done & ~before
        self.detector.log_r = np.where(new[..., None, None], -np.inf, self.detector.log_r)

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
        self.detector.restore(data["log_r"])
