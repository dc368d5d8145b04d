"""A switch at once: the canary's minutes beside the stable version's before it, when the world was another."""

from dataclasses import dataclass

import numpy as np

from judging.batch_capital import Counts
from judging.counted_traffic import Shares, log_drift, version_minutes
from judging.verdicts import SimulatedRollout
from serinus.lambda_handlers.hooks.evidence import Floats
from serinus.lambda_handlers.hooks.metrics import MINUTE_S
from serinus.lambda_handlers.hooks.observations import Minute, VersionMinute
from serinus.lambda_handlers.hooks.rollout_window import HISTORY_S, MINUTES_BEFORE, Rollout

HISTORY_MINUTES = HISTORY_S // MINUTE_S
REQUESTS_A_MINUTE = 200
OUTAGE_ERRORS = 0.30


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """How errors come: in clumps of so many, at a rate that drifts (standard deviation of its logarithm, memory 30
    minutes), with an outage of two minutes anywhere or after the switch."""

    clump: int = 1
    drift: float = 0.0
    outage: bool = False
    after_switch: bool = False


KINDS = {
    "independent": ErrorKind(),
    "errors in clumps of 3": ErrorKind(clump=3),
    "errors in clumps of 10": ErrorKind(clump=10),
    "error rate drifts, log-sd 0.2": ErrorKind(drift=0.2),
    "error rate drifts, log-sd 0.5": ErrorKind(drift=0.5),
    "error rate drifts, log-sd 1": ErrorKind(drift=1.0),
    "outage of 2 minutes at any time": ErrorKind(outage=True),
    "outage of 2 minutes after the switch": ErrorKind(outage=True, after_switch=True),
}


@dataclass(frozen=True, slots=True)
class BlueGreenTraffic:
    """A release that takes all traffic at once, with errors of this kind of `KINDS`; after the switch ``worse``
    times as many, for a faulty one."""

    kind: str
    bake_minutes: int
    errors: float = 0.01
    worse: float = 1.0

    def simulate(self, rng: np.random.Generator) -> SimulatedRollout:
        minutes = HISTORY_MINUTES + self.bake_minutes
        requests = rng.poisson(REQUESTS_A_MINUTE, minutes)
        errors = self._errors(rng, requests)
        now, former = version_minutes(rng, requests, Shares(), np.ones(minutes), errors)
        history = tuple(now[:HISTORY_MINUTES])
        return SimulatedRollout(
            Rollout(tuple(self._beside(now)), history, switched=True), tuple(self._beside(former))
        )

    def _errors(self, rng: np.random.Generator, requests: Counts) -> Counts:
        kind, share = KINDS[self.kind], self._shares(rng, len(requests))
        if kind.clump == 1:
            return rng.binomial(requests, np.minimum(1.0, share))
        return clumped(rng, requests, share, kind.clump)

    def _shares(self, rng: np.random.Generator, minutes: int) -> Floats:
        kind = KINDS[self.kind]
        shares = self.errors * (log_drift(rng, minutes, kind.drift) if kind.drift else np.ones(minutes))
        if kind.outage:
            begin = rng.integers(HISTORY_MINUTES if kind.after_switch else 0, minutes - 1)
            shares[begin : begin + 2] = OUTAGE_ERRORS
        shares[HISTORY_MINUTES:] *= self.worse
        return shares

    def _beside(self, minutes: list[VersionMinute]) -> list[Minute]:
        """As `rollout_window` reads them: each minute beside four before the switch, from there backwards."""
        backwards = minutes[HISTORY_MINUTES - 1 :: -1]
        return [
            Minute(
                MINUTE_S * index,
                minutes[HISTORY_MINUTES + index],
                VersionMinute.total(backwards[MINUTES_BEFORE * index : MINUTES_BEFORE * (index + 1)]),
                share=1 / (1 + MINUTES_BEFORE),
            )
            for index in range(self.bake_minutes)
        ]


def clumped(rng: np.random.Generator, requests: Counts, share: Floats | float, clump: int) -> Counts:
    """Counts of errors that come ``clump`` at a time, and of requests at most."""
    return np.asarray(np.minimum(requests, clump * rng.poisson(requests * share / clump)))
