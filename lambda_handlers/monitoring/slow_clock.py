"""Looks at the end of each cycle of the season, with the tight bands: finds small lasting drift.

Only the mean over a whole cycle is held against the bands, so a pattern that each cycle repeats is no drift. A
cycle that is not whole has no such mean: its evidence is dropped with what came before, and gathering begins anew.

So that drift need not wait for the end of the cycle in which it begins and of the next, there are several
detectors, whose cycles begin at different hours. Each has its part of the level, and the strongest is reported.
"""

from typing import Any

import numpy as np

from serinus.lambda_handlers.monitoring.bets import Bets
from serinus.lambda_handlers.monitoring.cycle import Cycle
from serinus.lambda_handlers.monitoring.detector import Detector, Evidence
from serinus.lambda_handlers.monitoring.streams import Counts, Floats, Streams

#: How many times a cycle one of its detectors looks.
LOOKS_A_CYCLE = 3


class _Phase:
    """A detector and its cycles."""

    def __init__(self, detector: Detector, cycle: Cycle) -> None:
        self.detector, self.cycle = detector, cycle
        self.latest: Evidence | None = None

    def add(self, hour: int, payouts: Floats | None) -> bool:
        """Add an hour's pay-outs, None without rows; whether a cycle ended with this hour or before it."""
        looked = self.cycle.number_at(hour) > self.cycle.number and self._close()
        if payouts is not None and self.cycle.has_begun_by(hour):
            if not self.cycle.hours_with_rows:
                self.cycle.begin(hour)
                self.detector.enter()
            self.cycle.hours_with_rows += 1
            self.detector.add(payouts)
        if self.cycle.ends_with(hour):
            looked = self._close() or looked
        self.detector.round()
        return looked

    def _close(self) -> bool:
        if not self.cycle.hours_with_rows:
            return False
        if not self.cycle.end():
            self.detector.begin_anew()
            return False
        self.latest = self.detector.look()
        return True


class SlowClock:
    """Of ``cycle_hours``; without a season a cycle is an hour, and there is one detector."""

    def __init__(self, streams: Streams, bets: Bets, cycle_hours: int, threshold: float) -> None:
        self._bets = bets
        number = LOOKS_A_CYCLE if cycle_hours > 1 else 1
        self.phases = [
            _Phase(Detector(bets, streams, number * threshold), Cycle(cycle_hours, place * cycle_hours // number))
            for place in range(number)
        ]

    def look(self, hour: int, counts: Counts, totals: Counts, usual: Floats) -> Evidence | None:
        """Add an hour's blocks [..., blocks, streams]; the strongest evidence of the latest looks, if a cycle
        ended with this hour or before it. ``usual`` [streams]: how many values a usual block has."""
        payouts = self._bets.log_payouts(counts, totals, usual) if totals.size and totals.any() else None
        looked = [phase.add(hour, payouts) for phase in self.phases]
        latest = [phase.latest for phase in self.phases if phase.latest is not None]
        return strongest(latest) if any(looked) else None

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {
                "cycle": phase.cycle.to_json(),
                "log_r": phase.detector.to_json(),
                "latest": phase.latest and phase.latest.to_json(),
            }
            for phase in self.phases
        ]

    def restore(self, data: list[dict[str, Any]]) -> None:
        """Take over what `to_json` wrote. Raises ValueError if it is of other streams."""
        for phase, kept in zip(self.phases, data, strict=True):
            phase.cycle.restore(kept["cycle"])
            phase.detector.restore(kept["log_r"])
            phase.latest = kept["latest"] and Evidence.from_json(kept["latest"], phase.detector.threshold)


def strongest(evidence: list[Evidence]) -> Evidence:
    """For each endpoint, that with the largest total of those with the same threshold."""
    best = np.argmax([one.total for one in evidence], axis=0)

    def pick(name: str) -> Any:
        stacked = np.stack([getattr(one, name) for one in evidence])
        index = best.reshape((1, *best.shape, *[1] * (stacked.ndim - 1 - best.ndim)))
        return np.take_along_axis(stacked, index, axis=0)[0]

    return Evidence(
        pick("total"), evidence[0].threshold, pick("by_column"), pick("named"), pick("stream"), pick("suspect")
    )
