"""Looks at the end of each cycle of the season, with the tight bands: finds small lasting drift.

Only the mean over a whole cycle is held against the bands, so a pattern that each cycle repeats is no drift. A
cycle that is not whole has no such mean: its evidence is dropped, as if nothing had happened.
"""

from typing import Any

import numpy as np

from serinus.lambda_handlers.monitoring.bets import Bets
from serinus.lambda_handlers.monitoring.cycle import Cycle
from serinus.lambda_handlers.monitoring.detector import Detector, Evidence
from serinus.lambda_handlers.monitoring.streams import Counts, Floats, Streams


class SlowClock:
    """Of ``cycle_hours``; without a season a cycle is an hour."""

    def __init__(self, streams: Streams, bets: Bets, cycle_hours: int, threshold: float) -> None:
        self._bets = bets
        self.detector = Detector(bets, streams, threshold)
        self.cycle = Cycle(cycle_hours)
        self._before: Floats = self.detector.log_r
        self._usual: Floats = np.zeros(len(streams.column))

    def look(self, hour: int, counts: Counts, totals: Counts, usual: Floats) -> Evidence | None:
        """Add an hour's blocks [..., blocks, streams]; the evidence, if a cycle ended with this hour or before it.
        ``usual`` [streams]: how many values a usual block has; within a cycle it stays, so that rows weigh
        alike."""
        evidence = self._close() if self.cycle.number_at(hour) > self.cycle.number else None
        if totals.size and totals.any():
            self._add(hour, counts, totals, usual)
        if self.cycle.ends_with(hour):
            evidence = self._close() or evidence
        self.detector.round()
        return evidence

    def _add(self, hour: int, counts: Counts, totals: Counts, usual: Floats) -> None:
        if not self.cycle.hours_with_rows:
            self.cycle.begin(hour)
            self._before, self._usual = self.detector.log_r, usual
            self.detector.enter()
        self.cycle.hours_with_rows += 1
        self.detector.add(self._bets.log_payouts(counts, totals, self._usual))

    def _close(self) -> Evidence | None:
        if not self.cycle.hours_with_rows:
            return None
        if self.cycle.end():
            return self.detector.look()
        self.detector.log_r = self._before
        return None

    def to_json(self) -> dict[str, Any]:
        state = {
            "cycle": self.cycle.to_json(),
            "usual": self._usual.astype(int).tolist(),
            "log_r": self.detector.to_json(),
        }
        if self.cycle.hours > 1 and self.cycle.hours_with_rows:
            now, self.detector.log_r = self.detector.log_r, self._before
            state["log_r_before"] = self.detector.to_json()
            self.detector.log_r = now
        return state

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `to_json` wrote. Raises ValueError if it is of other streams."""
        self.cycle.restore(data["cycle"])
        self._usual = np.array(data["usual"], np.float64)
        self.detector.restore(data.get("log_r_before", data["log_r"]))
        self._before = self.detector.log_r
        self.detector.restore(data["log_r"])
