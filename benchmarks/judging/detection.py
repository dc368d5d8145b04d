"""How many of the canary's requests it takes to catch a bad one: errors, beside other tests calibrated alike."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from table import Row

from judging.batch_capital import Counts
from judging.counted_traffic import CountedTraffic, Shares
from judging.rivals import calibrate, rivals
from judging.simulation import Batch, Simulation
from judging.verdicts import Stop
from serinus.lambda_handlers.hooks.evidence import Floats

SECTION = "Requests to detect errors"
REQUESTS_A_MINUTE = 200
HEALTHY_MINUTES = 90
HEALTHY_ROLLOUTS, FAULTY_ROLLOUTS = 2_000, 600
#: At most so many times the oracle's requests.
TARGET = 1.25
#: Shares of errors, stable and canary, and minutes in which nearly all of them are caught.
FAULTS = ((0.01, 0.05, 90), (0.01, 0.02, 200), (0.001, 0.01, 120))
ORACLE = "oracle: knows the odds"


@dataclass(frozen=True, slots=True)
class Observed:
    """Tables of errors [rollouts, minutes, 4], and the minutes in which the judge stopped (inf: never)."""

    tables: Counts
    formerly: Floats
    now: Floats


def measure_detection(simulation: Simulation) -> list[Row]:
    """One row a fault, canary's share and test."""
    rows = []
    for share in (0.1, 0.5):
        healthy: dict[float, Observed] = {}
        for stable, canary, minutes in FAULTS:
            if stable not in healthy:
                traffic = _traffic(HEALTHY_MINUTES, share, stable, stable)
                healthy[stable] = _observe(simulation, traffic, HEALTHY_ROLLOUTS)
            faulty = _observe(simulation, _traffic(minutes, share, stable, canary), FAULTY_ROLLOUTS)
            rows += _rows(healthy[stable], faulty, stable, canary, share)
            simulation.say(f"errors {stable:.1%} to {canary:.1%}, canary {share:.0%}")
    return rows


def _traffic(minutes: int, share: float, stable: float, canary: float) -> CountedTraffic:
    return CountedTraffic(
        minutes,
        requests_a_minute=REQUESTS_A_MINUTE,
        share=share,
        offset_s=0,
        stable=Shares(errors=stable),
        canary=Shares(errors=canary),
    )


def _observe(simulation: Simulation, traffic: CountedTraffic, rollouts: int) -> Observed:
    name = f"errors {traffic.stable} {traffic.canary} {traffic.share}"
    parts = simulation.run(_observe_batch, name, traffic, rollouts)
    return Observed(
        np.concatenate([part.tables for part in parts]),
        np.concatenate([part.formerly for part in parts]),
        np.concatenate([part.now for part in parts]),
    )


def _observe_batch(batch: Batch) -> Observed:
    simulated = batch.simulate()
    stops = [rollout.stops() for rollout in simulated]
    tables = [
        [
            (minute.canary.requests, minute.canary.errors, minute.stable.requests, minute.stable.errors)
            for minute in rollout.former_minutes
        ]
        for rollout in simulated
    ]
    return Observed(np.array(tables), _minutes(stops, 0), _minutes(stops, 1))


def _minutes(stops: list[tuple[Stop, Stop]], which: int) -> Floats:
    return np.array([pair[which].minute for pair in stops])


def _rows(healthy: Observed, faulty: Observed, stable: float, canary: float, share: float) -> list[Row]:
    false_alarms = float(np.isfinite(healthy.now).mean())
    stops = {
        "judge, all signals": (false_alarms, faulty.now),
        "judge by its former rules": (float(np.isfinite(healthy.formerly).mean()), faulty.formerly),
    }
    for name, statistic in rivals(stable, canary).items():
        on_healthy = statistic(healthy.tables)
        threshold = calibrate(on_healthy, false_alarms)
        alarms = float((on_healthy.max(axis=1) > threshold).mean())
        stops[name] = (alarms, _first_above(statistic(faulty.tables), threshold))
    requests = {name: _requests(faulty.tables, minutes) for name, (_, minutes) in stops.items()}
    oracle = _quantile(requests[ORACLE], 0.5)
    return [
        {
            "section": SECTION,
            "errors %": f"{100 * stable:g} to {100 * canary:g}",
            "canary %": round(100 * share),
            "test": name,
            "false alarms %": round(100 * alarms, 1),
            **summary(requests[name]),
            **_ratio(name, _quantile(requests[name], 0.5), oracle),
        }
        for name, (alarms, _) in stops.items()
    ]


def _ratio(name: str, median: float | None, oracle: float | None) -> Row:
    if median is None or oracle is None:
        return {}
    ratio = round(median / oracle, 2)
    if name != "judge, all signals":
        return {"of the oracle's": ratio}
    return {"of the oracle's": ratio, "target": TARGET, "held": "yes" if ratio <= TARGET else "MISSED"}


def summary(requests: Floats) -> Row:
    """Median, 80 % quantile (None if so many are never caught) and the share that is caught."""
    return {
        "median requests": _quantile(requests, 0.5),
        "80 % within": _quantile(requests, 0.8),
        "caught %": round(100 * float(np.isfinite(requests).mean()), 1),
    }


def _quantile(requests: Floats, share: float) -> float | None:
    value = float(np.quantile(requests, share, method="higher"))
    return round(value) if np.isfinite(value) else None


def _first_above(statistic: Floats, threshold: float) -> Floats:
    above: npt.NDArray[np.bool_] = statistic > threshold
    return np.where(above.any(axis=1), above.argmax(axis=1), np.inf)


def _requests(tables: Counts, minutes: Floats) -> Floats:
    """The canary's requests up to the minute in which each rollout was stopped."""
    sums = np.cumsum(tables[..., 0], axis=1)
    last = np.where(np.isfinite(minutes), minutes, 0).astype(int)
    return np.where(np.isfinite(minutes), sums[np.arange(len(sums)), last], np.inf)
