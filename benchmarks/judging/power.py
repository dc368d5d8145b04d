"""Which share of bad releases is caught at which traffic, and how much traffic a bake needs."""

from statistics import NormalDist

import numpy as np
from table import Row

from judging.counted_traffic import CountedTraffic, Shares
from judging.simulation import Simulation
from serinus.infra.settings import RolloutSettings
from serinus.lambda_handlers.contract.release import LAST_WORD_MINUTES

IN_TIME, BY_END = "Caught in time for the alarm", "Caught by the end of the bake"
NEEDED = "Traffic needed"
TRAFFIC = (5, 10, 20, 30, 60, 100, 200, 330, 500, 1000)
FAULTS = ((0.01, 1.0), (0.01, 0.2), (0.01, 0.1), (0.01, 0.05), (0.01, 0.02), (0.05, 0.1))
NEEDED_FAULTS = ((0.01, 1.0), (0.01, 0.2), (0.01, 0.1), (0.01, 0.05), (0.01, 0.02), (0.001, 0.01), (0.05, 0.1))
#: The canary's percentage of requests, and the bake's minutes.
NEEDED_SETTINGS = ((10, 15), (20, 15), (50, 15), (10, 30), (50, 30), (10, 60))
POWER = 0.8
ROLLOUTS, NEEDED_ROLLOUTS = 400, 240
#: Requests a minute among which the needed traffic is searched, each 1.4 times the last.
GRID = tuple(round(4 * 2 ** (step / 2)) for step in range(23))
#: Minutes at both ends of a bake that are not compared: the first is not whole, the last not yet settled.
UNSEEN_MINUTES = 3


def measure_power(simulation: Simulation) -> list[Row]:
    """Shares of bad releases that are caught with the default settings, one row a traffic and deadline."""
    settings = RolloutSettings()
    in_time, by_end = [], []
    for requests in TRAFFIC:
        caught = {
            fault_name(fault): _caught(simulation, requests, settings.share_percent, settings.bake_minutes, fault)
            for fault in FAULTS
        }
        in_time.append({"section": IN_TIME, "requests a minute": requests} | {k: v[0] for k, v in caught.items()})
        by_end.append({"section": BY_END, "requests a minute": requests} | {k: v[1] for k, v in caught.items()})
        simulation.say(f"{requests} a minute: {by_end[-1]}")
    return [*in_time, *by_end]


def measure_traffic_needed(simulation: Simulation) -> list[Row]:
    """Requests a minute, of both versions together, at which 80 % are caught by the end of the bake."""
    rows = []
    for share_percent, bake_minutes in NEEDED_SETTINGS:
        for fault in NEEDED_FAULTS:
            needed = _needed(simulation, share_percent, bake_minutes, fault)
            rows.append(
                {
                    "section": NEEDED,
                    "share_percent": share_percent,
                    "bake_minutes": bake_minutes,
                    "fault": fault_name(fault),
                    "requests_a_minute": needed,
                }
            )
            simulation.say(f"{share_percent} % for {bake_minutes} minutes, {fault_name(fault)}: {needed} a minute")
    return rows


def fault_name(fault: tuple[float, float]) -> str:
    """Percentages of errors, such as ``1 to 5 %``."""
    return f"{100 * fault[0]:g} to {100 * fault[1]:g} %"


def _caught(
    simulation: Simulation,
    requests: int,
    share_percent: int,
    bake_minutes: int,
    fault: tuple[float, float],
    rollouts: int = ROLLOUTS,
) -> tuple[float, float]:
    """Percentages caught before the alarm's last word, and by the end of the bake."""
    traffic = CountedTraffic(
        1 + bake_minutes - UNSEEN_MINUTES,
        requests,
        share_percent / 100,
        stable=Shares(errors=fault[0]),
        canary=Shares(errors=fault[1]),
    )
    stops = simulation.stops(f"power {requests} {share_percent} {bake_minutes} {fault}", traffic, rollouts)
    minutes = np.array([now.minute for _, now in stops])
    last_in_time = bake_minutes - LAST_WORD_MINUTES - UNSEEN_MINUTES
    return (
        round(100 * float((minutes <= last_in_time).mean()), 1),
        round(100 * float(np.isfinite(minutes).mean()), 1),
    )


def _needed(
    simulation: Simulation, share_percent: int, bake_minutes: int, fault: tuple[float, float]
) -> int | None:
    """By bisection on `GRID`, then between its neighbours; None if more than its last."""
    powers: dict[int, float] = {}

    def power(index: int) -> float:
        if index not in powers:
            settings = (GRID[index], share_percent, bake_minutes, fault, NEEDED_ROLLOUTS)
            powers[index] = _caught(simulation, *settings)[1] / 100
        return powers[index]

    low, high = -1, len(GRID)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    if high == len(GRID):
        return None
    return GRID[0] if low < 0 else _between(GRID[low], power(low), GRID[high], power(high))


def _between(low: int, low_power: float, high: int, high_power: float) -> int:
    """Where the power is `POWER`, on probit and logarithmic scales, to two digits."""
    ends, target = [_probit(low_power), _probit(high_power)], _probit(POWER)
    part = (target - ends[0]) / (ends[1] - ends[0])
    needed = float(np.exp(np.log(low) + part * (np.log(high) - np.log(low))))
    return int(round(needed, -max(0, int(np.log10(needed)) - 1)))


def _probit(share: float) -> float:
    return NormalDist().inv_cdf(min(0.995, max(0.005, share)))
