"""How many of the canary's requests it takes to catch other faults than errors, such as slow responses."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from table import Row

from judging.counted_traffic import EVEN_DECILES, USUAL_PREDICTIONS, CountedTraffic, Shares, decile_shares
from judging.detection import REQUESTS_A_MINUTE, summary
from judging.simulation import Simulation, generator
from judging.thresholds import LognormalDurations
from judging.verdicts import LOG_THRESHOLD
from serinus.lambda_handlers.hooks.evidence import Floats

SECTION = "Requests to detect other faults"
ROLLOUTS, MINUTES, SHARE = 400, 90, 0.1
MEDIAN_MS = 60.0
#: Canary requests that a fault may need, in the median: sigma 0.5, by how many times longer responses take.
LATENCY_TARGETS = {1.5: 180, 2.0: 40}
#: Requests in which the oracle decides, and the least share that it expects of an event.
ORACLE_REQUESTS, LEAST_SHARE = 6_000, 1e-3


@dataclass(frozen=True, slots=True)
class Fault:
    """A canary's fault that shows in one signal. ``log_ratios``: the oracle's, of one request's outcomes."""

    name: str
    stable: Shares
    canary: Shares
    probabilities: tuple[float, ...] = ()
    log_ratios: tuple[float, ...] = ()
    shift: float = 0.0
    sigma: float = 0.0
    target: int | None = None


def measure_signals(simulation: Simulation) -> list[Row]:
    """One row a fault."""
    return [_row(simulation, fault) for fault in (*_latency(), *_predictions(), *_shares())]


def _latency() -> Iterator[Fault]:
    for sigma in (0.2, 0.5, 1.0):
        usual = LognormalDurations(MEDIAN_MS, sigma)
        limits = usual.thresholds()
        for times in (1.1, 1.5, 2.0, 3.0):
            slower = LognormalDurations(times * MEDIAN_MS, sigma)
            stable, canary = (
                Shares(
                    slow=durations.share_above(limits.now_ms),
                    former_slow=durations.share_above(limits.former_ms),
                )
                for durations in (usual, slower)
            )
            yield Fault(
                f"responses x{times:g}, log-sd {sigma:g}",
                stable,
                canary,
                shift=float(np.log(times)),
                sigma=sigma,
                target=LATENCY_TARGETS.get(times) if sigma == 0.5 else None,
            )


def _predictions() -> Iterator[Fault]:
    for name, shares in (
        ("a class of 25 % to 30 %", (0.55, 0.30, 0.10, 0.05)),
        ("2 % of rows to another class", (0.58, 0.25, 0.10, 0.07)),
        ("a class of 5 % to 10 %", (0.55, 0.25, 0.10, 0.10)),
        ("a class of 5 % to 20 %", (0.45, 0.25, 0.10, 0.20)),
        ("a class of 5 % to 30 %", (0.35, 0.25, 0.10, 0.30)),
        ("a class of 60 % to 85 %", (0.85, 0.10, 0.03, 0.02)),
        ("all rows to one class", (1.0, 0.0, 0.0, 0.0)),
        ("3 % of rows to a new class", (0.57, 0.25, 0.10, 0.05, 0.03)),
    ):
        usual = (*USUAL_PREDICTIONS, *(0.0,) * (len(shares) - len(USUAL_PREDICTIONS)))
        yield _of_outcomes(name, Shares(predictions=usual), Shares(predictions=shares), usual, shares)
    for shift in (0.5, 1.0):
        # Counted in the canary's deciles; formerly in each version's own, where both are even.
        usual = decile_shares(-shift)
        stable = Shares(predictions=usual, former_predictions=EVEN_DECILES)
        yield _of_outcomes(
            f"numbers {shift:g} sd higher", stable, Shares(predictions=EVEN_DECILES), usual, EVEN_DECILES
        )


def _shares() -> Iterator[Fault]:
    for usual, share in ((0.02, 0.04), (0.02, 0.10)):
        versions = Shares(rejected=usual), Shares(rejected=share)
        yield _of_event(f"rejected {100 * usual:g} % to {100 * share:g} %", *versions, usual, share)
    for usual, share in ((0.001, 0.01), (0.001, 0.05)):
        versions = Shares(non_finite=usual), Shares(non_finite=share)
        yield _of_event(f"non-finite {100 * usual:g} % to {100 * share:g} %", *versions, usual, share)


def _of_event(name: str, stable: Shares, canary: Shares, usual: float, share: float) -> Fault:
    return _of_outcomes(name, stable, canary, (usual, 1 - usual), (share, 1 - share))


def _of_outcomes(
    name: str, stable: Shares, canary: Shares, usual: tuple[float, ...], shares: tuple[float, ...]
) -> Fault:
    ratios = np.log(np.maximum(shares, 1e-12)) - np.log(np.maximum(usual, LEAST_SHARE))
    return Fault(name, stable, canary, shares, tuple(float(ratio) for ratio in ratios))


def _row(simulation: Simulation, fault: Fault) -> Row:
    traffic = CountedTraffic(
        MINUTES, REQUESTS_A_MINUTE, SHARE, offset_s=0, stable=fault.stable, canary=fault.canary
    )
    stops = simulation.stops(fault.name, traffic, ROLLOUTS)
    former, now = (summary(np.array([pair[which].requests for pair in stops])) for which in (0, 1))
    oracle = summary(_oracle(fault))
    row = {"section": SECTION, "fault": fault.name, **now}
    row |= {f"before: {key.removesuffix(' requests')}": value for key, value in former.items()}
    row["oracle: median"] = oracle["median requests"]
    if fault.target is not None:
        median = now["median requests"]
        held = median is not None and median <= fault.target
        row |= {"target": fault.target, "held": "yes" if held else "MISSED"}
    simulation.say(f"{fault.name}: {now['median requests']} requests, before {former['median requests']}")
    return row


def _oracle(fault: Fault) -> Floats:
    """Wald's test on single requests of the canary, which knows both versions' laws: requests until it decides."""
    rng = generator(f"oracle {fault.name}", 0)
    if fault.sigma:
        differences = rng.normal(fault.shift, fault.sigma, (ROLLOUTS, ORACLE_REQUESTS))
        gains = (fault.shift * differences - fault.shift**2 / 2) / fault.sigma**2
    else:
        outcomes = rng.choice(len(fault.probabilities), (ROLLOUTS, ORACLE_REQUESTS), p=fault.probabilities)
        gains = np.array(fault.log_ratios)[outcomes]
    decided = np.cumsum(gains, axis=1) >= LOG_THRESHOLD
    return np.where(decided.any(axis=1), decided.argmax(axis=1) + 1.0, np.inf)
