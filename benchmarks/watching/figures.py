"""Runs watches on all cores and reduces them to the figures that are held against limits."""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import beta
from table import Row

from watching.months import BATCH, NEVER, Alarms, Watch


@dataclass(frozen=True, slots=True)
class Measurement:
    """``scale`` multiplies the numbers of runs, for a trial."""

    scale: float
    processes: int
    peer_minutes: float
    begun: float

    @classmethod
    def begin(cls, scale: float, processes: int | None, peer_minutes: float) -> "Measurement":
        return cls(scale, processes or os.cpu_count() or 1, peer_minutes, time.monotonic())

    def watch(self, watch: Watch, runs: int) -> list[Alarms]:
        """The alarms of so many runs, with each of the watch's drifts, or without."""
        number = max(1, round(runs * self.scale / BATCH))
        batches = [replace(watch, seed=1000 * watch.seed + batch) for batch in range(number)]
        with ProcessPoolExecutor(min(self.processes, number)) as pool:
            parts = list(pool.map(Watch.run, batches))
        return [Alarms.joined(list(of_drift)) for of_drift in zip(*parts, strict=True)]

    def say(self, text: str) -> None:
        """Progress, on stderr."""
        sys.stderr.write(f"{time.monotonic() - self.begun:5.0f} s  {text}\n")


def false_months(alarms: Alarms, limit_percent: float | None) -> Row:
    """The share of months with an alarm, and its bound."""
    false, months = int((alarms.delay != NEVER).sum()), len(alarms.delay)
    row = {
        "months": months,
        "false months": false,
        "false %": round(100 * false / months, 1),
        "at most %": round(100 * upper_bound(false, months), 1),
        "by the fast clock": int(alarms.fast.sum()),
    }
    if limit_percent is None:
        return row
    return row | {"limit %": limit_percent, "held": "yes" if 100 * false / months <= limit_percent else "MISSED"}


def delays(alarms: Alarms, limit_hours: float | None) -> Row:
    """Median and 90th percentile of the delay, and what was named; the limit holds for the median."""
    taken = ~alarms.early
    delay, found = alarms.delay[taken], alarms.delay[taken] != NEVER
    median, late = (_hours(delay, share) for share in (0.5, 0.9))
    row = {
        "runs": int(taken.sum()),
        "median h": median,
        "p90 h": late,
        "found %": round(100 * float(found.mean()), 1),
        "right %": round(100 * float(alarms.right[taken][found].mean()), 1) if found.any() else None,
        "wrong names": int(alarms.wrong[taken][found].sum()),
        "by the fast clock %": round(100 * float(alarms.fast[taken][found].mean())) if found.any() else None,
    }
    if limit_hours is None:
        return row
    held = median is not None and median <= limit_hours
    return row | {"limit h": limit_hours, "held": "yes" if held else "MISSED"}


def upper_bound(events: int, number: int) -> float:
    """Clopper and Pearson's bound, missed with chance 5 %."""
    return 1.0 if events == number else float(beta.ppf(0.95, events + 1, number - events))


def _hours(delay: np.ndarray, share: float) -> int | None:
    """A quantile; None where it was not found."""
    value = np.sort(delay)[min(len(delay) - 1, int(np.ceil(share * len(delay))) - 1)]
    return None if value == NEVER else int(value)
