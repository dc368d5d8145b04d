"""Watches simulated endpoints by the product's own clocks: when they alarm first, and what they name."""

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serinus.lambda_handlers.monitoring.clocks import Clocks, ClockSettings
from watching.traffic import NO_DRIFT, Drift, Kind, Traffic

BASELINE_ROWS = 5000
#: Runs that are watched at once.
BATCH = 20
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Alarms:
    """Of each run: hours until the first alarm at or after the drift, `NEVER` without; the clock (slow or fast)
    that raised it; whether it named the column that drifts, and how many others; whether one came before the
    drift."""

    delay: npt.NDArray[np.int64]
    fast: npt.NDArray[np.bool_]
    right: npt.NDArray[np.bool_]
    wrong: npt.NDArray[np.int64]
    early: npt.NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: "list[Alarms]") -> "Alarms":
        """Those of all batches."""
        names = ("delay", "fast", "right", "wrong", "early")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True)
class Watch:
    """Endpoints with this traffic and these settings: ``drifts`` begin in day ``drift_day``, from 0, at an hour of
    each run's own, and are waited for ``hours``; without any, the days before are all."""

    kind: Kind
    settings: ClockSettings
    drifts: tuple[Drift, ...]
    drift_day: int
    hours: int
    seed: int

    def run(self) -> list[Alarms]:
        """The alarms with each drift, or without."""
        blocks = 1 if self.settings.rows == "independent" else 12
        traffic = Traffic.begin(self.kind, BATCH, blocks, BASELINE_ROWS, self.seed)
        clocks = Clocks.new(traffic.baselines.streams, self.settings)
        before = _play(traffic, clocks, NO_DRIFT, range(24 * self.drift_day), np.full(BATCH, NEVER))
        if not self.drifts:
            return [before]
        begins = 24 * self.drift_day + traffic.rng.integers(0, 24, BATCH)
        alarms = []
        for drift in self.drifts:
            hours = range(24 * self.drift_day, 24 * self.drift_day + 24 + self.hours)
            found = _play(copy.deepcopy(traffic), copy.deepcopy(clocks), drift, hours, begins)
            early = found.early | (before.delay != NEVER)
            alarms.append(Alarms(found.delay, found.fast, found.right, found.wrong, early))
        return alarms


def _play(traffic: Traffic, clocks: Clocks, drift: Drift, hours: range, begins: npt.NDArray[np.int64]) -> Alarms:
    """The alarms in ``hours``; a drift begins in each run at the hour ``begins`` [runs]. Stops when all
    alarmed."""
    runs = len(begins)
    drifting = drift is not NO_DRIFT
    first, fast = np.full(runs, NEVER), np.zeros(runs, bool)
    right, wrong, early = np.zeros(runs, bool), np.zeros(runs, np.int64), np.zeros(runs, bool)
    target = drift.columns(runs)
    for hour in hours:
        counts, totals = traffic.hour(hour, drift, hour >= begins)
        looks = clocks.look(hour, counts, totals)
        for name, evidence in looks._asdict().items():
            if evidence is None:
                continue
            early |= evidence.alarm & (hour < begins) & drifting
            new = evidence.alarm & (first == NEVER) & ((hour >= begins) | (not drifting))
            named = evidence.named[np.arange(runs), target]
            first, fast = np.where(new, hour, first), np.where(new, name == "fast", fast)
            right = np.where(new, named, right)
            wrong = np.where(new, evidence.named.sum(axis=-1) - named, wrong)
        if (first != NEVER).all():
            break
    delay = np.where(first == NEVER, NEVER, first - np.where(drifting, begins, hours.start) + 1)
    return Alarms(delay, fast, right, wrong, early)
