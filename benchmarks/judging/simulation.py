"""Runs many rollouts on all cores, each with random numbers of its own."""

import os
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.pool import Pool
from typing import Protocol, TypeVar

import numpy as np

from judging.batch_capital import check_against_the_hooks
from judging.verdicts import SimulatedRollout, Stop

SEED = 20241121
BATCH = 20

Result = TypeVar("Result")


class Traffic(Protocol):
    """Draws one rollout with all its requests."""

    def simulate(self, rng: np.random.Generator) -> SimulatedRollout: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """The rollouts from ``first`` up to ``end`` of a scenario."""

    name: str
    traffic: Traffic
    first: int
    end: int

    def simulate(self) -> list[SimulatedRollout]:
        """The rollouts; of the first, what the judge computes is checked."""
        simulated = [self.traffic.simulate(generator(self.name, number)) for number in range(self.first, self.end)]
        if not simulated[0].rollout.switched:
            check_against_the_hooks(simulated[0].rollout)
        return simulated


@dataclass(frozen=True, slots=True)
class Simulation:
    """All cores; ``scale`` multiplies numbers of rollouts, for a trial."""

    pool: Pool
    scale: float
    begun: float

    @classmethod
    def start(cls, scale: float) -> "Simulation":
        return cls(Pool(os.cpu_count()), scale, time.monotonic())

    def stops(self, name: str, traffic: Traffic, rollouts: int) -> list[tuple[Stop, Stop]]:
        """Where each rollout was stopped, by the former rules and now."""
        return [stop for stops in self.run(_stops, name, traffic, rollouts) for stop in stops]

    def run(
        self, compute: Callable[[Batch], Result], name: str, traffic: Traffic, rollouts: int
    ) -> Sequence[Result]:
        """``compute`` of each batch of so many rollouts, in order."""
        number = max(BATCH, round(rollouts * self.scale))
        batches = [Batch(name, traffic, first, min(first + BATCH, number)) for first in range(0, number, BATCH)]
        return self.pool.map(compute, batches, chunksize=1)

    def say(self, text: str) -> None:
        """Progress, on stderr."""
        sys.stderr.write(f"{time.monotonic() - self.begun:5.0f} s  {text}\n")


def generator(name: str, number: int) -> np.random.Generator:
    """The random numbers of one rollout of a scenario, whatever else is simulated."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode()), number])


def _stops(batch: Batch) -> list[tuple[Stop, Stop]]:
    return [simulated.stops() for simulated in batch.simulate()]
